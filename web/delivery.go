package web

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/view"
)

// What of an event one page shows, in bytes; the rest is to be had as data.
const (
	maxWhole = 40 << 10
	maxBody  = 24 << 10
	maxHex   = 4 << 10 // which become five times as many characters
	maxPart  = 1 << 10 // of a body in a list, where the event's page has more
)

// pair holds a name and its value.
type pair struct{ Name, Value string }

// deliveryView shows an original delivery, part by part.
type deliveryView struct {
	Line    string // "POST /hooks/digicert"
	Query   []pair // decoded, in the order it came in
	Headers []pair // by name
	Body    string
	Form    string // what Body shows: "JSON", "text", "bytes in hex" or ""
	Size    int    // of the whole body, in bytes
	Cut     bool   // Body is not all of it
	File    string // where the whole body is to be had; ""
	Sealed  bool   // it is about a person: only what stands in clear is here
}

// deliveryOf returns nil where the event came of no delivery.
func deliveryOf(e *schema.Event, seq uint64) *deliveryView {
	v := partsOf(e.Data.Original, maxBody, maxHex)
	if v == nil {
		return nil
	}
	v.Line = strings.TrimSpace(v.Line + " " + e.Source)
	if v.Size > 0 {
		v.File = "/events/" + view.NumberText(seq) + "/body"
	}
	return v
}

// quarantinedDelivery shows the delivery of a row of the quarantine: in short, where an event's page has all of it.
func quarantinedDelivery(row rowView[projections.Quarantined]) *deliveryView {
	if row.Href == "" {
		return partsOf(row.Item.Original, view.MaxRaw, maxHex)
	}
	return partsOf(row.Item.Original, maxPart, maxPart/4)
}

// partsOf shows the delivery o with as much of its body as text, or else as bytes; it returns nil where there is none.
func partsOf(o *schema.Original, textBytes, hexBytes int) *deliveryView {
	if o == nil {
		return nil
	}
	v := &deliveryView{Line: o.Method, Query: queryPairs(o.Query), Sealed: o.Sealed != ""}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		v.Headers = append(v.Headers, pair{name, o.Headers[name]})
	}
	body, err := bodyOf(o)
	switch {
	case err != nil:
		v.Body, v.Form = o.BodyBase64, "base64 that cannot be decoded"
	case len(body) > 0:
		v.Size = len(body)
		v.show(body, o.BodyBase64 == "", textBytes, hexBytes)
	}
	return v
}

// show sets the body as people can read it: nothing but text is shown as text.
func (v *deliveryView) show(body []byte, isJSON bool, textBytes, hexBytes int) {
	switch {
	case isJSON && json.Valid(body):
		v.Form, v.Body = "JSON", view.Indent(body)
	case view.IsText(body):
		v.Form, v.Body = "text", string(body)
	default:
		v.Form, v.Cut = "bytes in hex", len(body) > hexBytes
		v.Body = hex.Dump(body[:min(len(body), hexBytes)])
		return
	}
	if v.Cut = len(v.Body) > textBytes; v.Cut {
		v.Body = view.ClipTo(v.Body, textBytes)
	}
}

// bodyOf returns the body of a delivery, byte for byte as it was kept.
func bodyOf(o *schema.Original) ([]byte, error) {
	switch {
	case o == nil:
		return nil, nil
	case o.BodyBase64 != "":
		return base64.StdEncoding.DecodeString(o.BodyBase64)
	}
	return o.Body, nil
}

// queryPairs splits a raw query into its pairs; one that cannot be decoded stands as it came.
func queryPairs(query string) []pair {
	var list []pair
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		list = append(list, pair{unescaped(name), unescaped(value)})
	}
	return list
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
