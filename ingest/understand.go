package ingest

import (
	"errors"
	"reflect"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// understand is what d means to p. What p does not understand means delivery.unrecognized, with the reason: nothing that came with right credentials
// is dropped. Of data, only what the decoder read is filled in.
func understand(p schema.Provider, d *schema.Delivery) (schema.Kind, schema.Data, *schema.Quarantine) {
	if isOwn(d) {
		kind, data := understandOwn()
		return kind, data, nil
	}
	kind, data, quarantine := decode(p, d)
	if quarantine != nil {
		kind = schema.DeliveryUnrecognized
		data = schema.Data{Event: quarantine.Event, Decoder: data.Decoder, Reason: quarantine.Reason}
	}
	return kind, data, quarantine
}

// decode is the provider's Decode, whose failures of any sort are reasons to quarantine. One that panics has no data, not even a decoder.
func decode(p schema.Provider, d *schema.Delivery) (kind schema.Kind, data schema.Data, quarantine *schema.Quarantine) {
	defer func() {
		if recover() != nil { // a decoder's mistake must not lose a delivery
			quarantine = &schema.Quarantine{Reason: "The decoder failed on this delivery. It is kept: a later version can read it again."}
		}
	}()
	kind, data, err := p.Decode(d)
	if err != nil && !errors.As(err, &quarantine) {
		quarantine = &schema.Quarantine{Reason: err.Error()}
	}
	return kind, data, quarantine
}

// redactWords makes the words of data, a reason above all, those that stand in its redacted original: what must not be stored there must not be stored
// beside it. Ids stay as they were sent; they name rows, and the provider's documentation says that they are ids.
func redactWords(p schema.Provider, data *schema.Data, feed schema.Feed) {
	if !altered(data.Original) {
		return
	}
	d, err := data.Original.Redelivery(feed.Name)
	if err != nil {
		return
	}
	_, stored, _ := understand(p, d)
	redactFields(reflect.ValueOf(data).Elem(), reflect.ValueOf(&stored).Elem())
}

// redactFields takes from then, which is of now's type, each text that shows a mark.
func redactFields(now, then reflect.Value) {
	for i := range now.NumField() {
		name := now.Type().Field(i).Name
		switch field, stored := now.Field(i), then.Field(i); field.Kind() {
		case reflect.String:
			if !isID(name) && marked([]byte(stored.String())) {
				field.SetString(stored.String())
			}
		case reflect.Pointer: // what it is about; a person is sealed whole
			if name == "Target" || name == "Scan" || name == "Finding" {
				if !field.IsNil() && !stored.IsNil() {
					redactFields(field.Elem(), stored.Elem())
				}
			}
		case reflect.Slice:
			if parts, ok := field.Interface().([]schema.Unreadable); ok {
				redactReasons(parts, stored.Interface().([]schema.Unreadable))
			}
		}
	}
}

// redactReasons is redactFields of why parts could not be read, which may quote them.
func redactReasons(now, then []schema.Unreadable) {
	for i := range now {
		for _, stored := range then {
			if stored.Part == now[i].Part && marked([]byte(stored.Reason)) {
				now[i].Reason = stored.Reason
			}
		}
	}
}

func isID(field string) bool {
	return field == "Domain" || field == "Check" || strings.HasSuffix(field, "ID")
}
