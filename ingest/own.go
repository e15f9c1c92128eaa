package ingest

import (
	"slices"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// What a test delivery of certtrail's own looks like. No provider sends either, and a real delivery to an address that
// happens to end in the query has another body, so that none is taken for a test.
const (
	ownQuery = "certtrail=test"
	ownBody  = `{"certtrail":"test"}`

	ownDecoder = "certtrail/1"
)

// TestDelivery makes a delivery that shows whether the feed's endpoint works, without credentials: it means
// schema.OwnTest and nothing else.
func TestDelivery(feed provider.Feed) *provider.Delivery {
	d := &provider.Delivery{Feed: feed.Name, Method: "POST", Query: ownQuery}
	if !slices.Contains(feed.Methods, "POST") {
		d.Method = feed.Methods[0]
		return d
	}
	d.Header, d.Body = map[string][]string{"Content-Type": {"application/json"}}, []byte(ownBody)
	return d
}

// isOwn reports whether d is such a delivery.
func isOwn(d *provider.Delivery) bool {
	return d.Query == ownQuery && (len(d.Body) == 0 || string(d.Body) == ownBody)
}

// understandOwn returns what such a delivery means, whoever the provider: that a test came.
func understandOwn() (schema.Kind, schema.Data) {
	return schema.AccountTestReceived, schema.Data{Event: schema.OwnTest, Decoder: ownDecoder}
}
