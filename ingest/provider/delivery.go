package provider

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// Delivery holds one request as a provider sent it, before anything is taken out of it. It is never stored; its
// Original is.
type Delivery struct {
	Feed   string              // which of the provider's feeds: "" or Feed.Name
	Method string              // "POST"
	Token  string              // the last segment of the path, where the feed has a token there; never stored
	Query  string              // raw, without the question mark
	Header map[string][]string // canonical names, as net/http has them
	Body   []byte
}

// Get returns the first value of the header of that canonical name, or "".
func (d *Delivery) Get(name string) string {
	if v := d.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Request returns what of d is stored, once it is redacted.
func (d *Delivery) Request() redact.Request {
	return redact.Request{Method: d.Method, Query: d.Query, Header: d.Header, Body: d.Body}
}

// Redelivery restores the delivery that o was, as far as it was kept, for a decoder to read again. Feed names the feed
// it came by.
func Redelivery(o *schema.Original, feed string) (*Delivery, error) {
	d := &Delivery{Feed: feed, Method: o.Method, Query: o.Query, Header: make(map[string][]string, len(o.Headers)), Body: o.Body}
	for name, value := range o.Headers {
		d.Header[canonical(name)] = []string{value}
	}
	if o.BodyBase64 != "" {
		body, err := base64.StdEncoding.DecodeString(o.BodyBase64)
		if err != nil {
			return nil, fmt.Errorf("the stored body is not base64: %w", err)
		}
		d.Body = body
	}
	return d, nil
}

// canonical writes a header name in net/http's form, without importing it.
func canonical(name string) string {
	parts := strings.Split(strings.ToLower(name), "-")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
