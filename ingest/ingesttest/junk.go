package ingesttest

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/provider"
)

// bodies lists what comes to an open endpoint sooner or later. None of it may panic a decoder, and all of it is stored
// as something.
var bodies = []string{
	"", " ", "null", "true", "[]", "{}", `""`, "0", "1e400", `"certificate_issued"`, "not JSON", "{", `{"event"}`, `{"event":"x"} trailing`,
	"\ufeff", "\ufeff{}", "\x00", "\xff\xfe{\x00}\x00", `{"event":null}`, `{"event":1}`, `{"event":{}}`, `{"event":""}`, `{"event":"\ud800"}`,
	`{"event":"unheard_of","data":{"id":1}}`, `{"event":"a.b.>","data":[]}`, `{"eventType":"unheard of"}`, "eventType=%zz", "a=1&a=2;b", "=", "&&&",
	`{"event":"` + strings.Repeat("x", 10_000) + `"}`, strings.Repeat("[", 20_000), strings.Repeat(`{"event":`, 5_000), strings.Repeat("a=1&", 5_000),
	"<html><body>502 Bad Gateway</body></html>",
}

var queries = []string{"", "%zz", "Status", "Status=&RequestId=", "a=%ff", "eventType=%00", "Status=Unheard&RequestId=1", strings.Repeat("&", 1000), "a=1;b=2"}

func junk(t *testing.T, s provider.System, p provider.Provider) {
	for _, feed := range p.Feeds() {
		for _, method := range feed.Methods {
			for _, contentType := range []string{"", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "\x00"} {
				for _, body := range bodies {
					Check(t, p, &provider.Delivery{Feed: feed.Name, Method: method, Header: header(contentType), Body: []byte(body)})
				}
			}
			for _, query := range queries {
				Check(t, p, &provider.Delivery{Feed: feed.Name, Method: method, Query: query})
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same junk every time
	for range 20 {
		for _, sample := range s.Samples {
			d := build(sample)
			d.Body, d.Query = spoil(random, d.Body), string(spoil(random, []byte(d.Query)))
			Check(t, p, d)
		}
	}
}

func header(contentType string) map[string][]string {
	if contentType == "" {
		return nil
	}
	return map[string][]string{"Content-Type": {contentType}}
}

// spoil returns b with a few bytes changed, cut out or doubled.
func spoil(random *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + random.IntN(3) {
		if len(b) == 0 {
			return b
		}
		at := random.IntN(len(b))
		to := at + random.IntN(len(b)-at)
		switch random.IntN(4) {
		case 0:
			b[at] = byte(random.Uint32())
		case 1:
			b = append(b[:at:at], b[to:]...)
		case 2:
			b = append(b[:to:to], b[at:]...)
		case 3:
			b = b[:to]
		}
	}
	return b
}
