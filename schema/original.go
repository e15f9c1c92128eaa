package schema

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Redelivery is the delivery that o was, as far as it was kept, for a decoder to read again. Feed is the feed it came by.
func (o *Original) Redelivery(feed string) (*Delivery, error) {
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

// canonical is net/http's form of a header name, without importing it.
func canonical(name string) string {
	parts := strings.Split(strings.ToLower(name), "-")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
