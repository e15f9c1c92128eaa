package ingest

import (
	"reflect"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// keepRedacted makes data, read from an original that redaction altered, keep what e was told before that. It is false where the new reading cannot be
// trusted and e must stay what it is:
//
//   - the decoder is the one that made e, which then saw everything: what differs now differs because something was taken out;
//   - the new reading says less: nothing where e was understood, order.updated where e was more than that;
//   - an id that names a row would be a mark of redaction, or is gone.
//
// Otherwise the new reading counts, but for texts that now show a mark, parts that now cannot be read and, of an event that is still of the same kind,
// fields that are now empty: those stay as they were. An event that was not understood has nothing to lose.
func keepRedacted(kind schema.Kind, data *schema.Data, e *schema.Event) bool {
	was := e.Kind()
	switch {
	case !understood(was) && understood(kind):
		return !marksAnID(data)
	case data.Decoder == e.Data.Decoder, says(kind) < says(was):
		return false
	}
	keepFields(data, &e.Data, kind == was)
	keepParts(data, &e.Data)
	if kind.Aggregate() == was.Aggregate() && schema.AggregateID(kind, e.ID, data) == "" && schema.AggregateID(kind, e.ID, &e.Data) != "" {
		return false
	}
	return !marksAnID(data)
}

// says is how much a kind says: nothing, that something about an order was said, or what happened.
func says(k schema.Kind) int {
	switch k {
	case schema.DeliveryUnrecognized:
		return 0
	case schema.OrderUpdated:
		return 1
	}
	return 2
}

// marksAnID tells whether redaction's mark stands where an id should. All events with it would be one row.
func marksAnID(d *schema.Data) bool {
	for _, id := range []string{d.OrderID, d.CertificateID, d.Domain, d.DomainID, d.OrganizationID, d.WebsiteID, d.TargetID, d.WebhookID} {
		if marked([]byte(id)) {
			return true
		}
	}
	return false
}

// keepFields takes from before each text that now shows a mark and, if empty is true, each field that is now empty.
func keepFields(data, before *schema.Data, empty bool) {
	now, then := reflect.ValueOf(data).Elem(), reflect.ValueOf(before).Elem()
	for i := range now.NumField() {
		field := now.Field(i)
		gone := field.Kind() == reflect.String && marked([]byte(field.String())) || empty && field.IsZero() && field.Kind() != reflect.Slice
		if gone && !then.Field(i).IsZero() {
			field.Set(then.Field(i))
		}
	}
}

// keepParts takes from before each part that was read then and cannot be read now.
func keepParts(data, before *schema.Data) {
	var left []schema.Unreadable
	for _, u := range data.Unreadable {
		if !keepPart(data, before, u.Part) {
			left = append(left, u)
		}
	}
	data.Unreadable = left
}

// keepPart finds the field that is called part, as Unreadable names parts.
func keepPart(data, before *schema.Data, part string) bool {
	for _, u := range before.Unreadable {
		if u.Part == part {
			return false
		}
	}
	now, then := reflect.ValueOf(data).Elem(), reflect.ValueOf(before).Elem()
	for i := range now.NumField() {
		name, _, _ := strings.Cut(now.Type().Field(i).Tag.Get("json"), ",")
		if name != part || then.Field(i).IsZero() {
			continue
		}
		now.Field(i).Set(then.Field(i))
		return true
	}
	return false
}
