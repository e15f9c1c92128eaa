package ingest

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// TestOwnTestDelivery sends the test delivery of every feed of every provider with its credentials, and without.
func TestOwnTestDelivery(t *testing.T) {
	for _, system := range systems {
		for _, feed := range source(system, system.Kind).Provider.Feeds() {
			log, s := &kept{}, source(system, system.Kind)
			h := edge(log, persons, s)
			send := func(sign bool, change func(*provider.Delivery)) int {
				d := TestDelivery(feed)
				if sign {
					s.Provider.(provider.Sender).Sign(d)
				}
				change(d)
				token := d.Token
				if token == "" {
					token = "none"
				}
				r := httptest.NewRequest(d.Method, Path(s.Name, feed, token)+"?"+d.Query, bytes.NewReader(d.Body))
				for name, values := range d.Header {
					r.Header[name] = values
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w.Code
			}
			as := func(*provider.Delivery) {}
			if code := send(false, as); code != 401 && code != 404 || len(log.events) > 0 {
				t.Errorf("%s%s without credentials: %d", s.Name, feed.Name, code)
			}
			if code := send(true, as); code != 200 || len(log.events) != 1 {
				t.Fatalf("%s%s: %d, %d events", s.Name, feed.Name, code, len(log.events))
			}
			e := logged(t, log.events[0])
			if e.Kind() != schema.AccountTestReceived || e.Data.Event != schema.OwnTest || e.Delivered() || e.Data.Original == nil || e.Data.Original.Sealed != "" {
				t.Errorf("%s%s: %s %+v", s.Name, feed.Name, e.Type, e.Data)
			}
			if again := NewRedecoder(systems, nil).WithKeys(persons).Redecode(e); again != e {
				t.Errorf("%s%s is read again as %s", s.Name, feed.Name, again.Type)
			}
			if c := s.Counts(); c.Accepted+c.Quarantined != 0 || !c.LastAt.IsZero() || c.Refused != 1 || c.RefusedFor[RefusedCredentials] != 1 {
				t.Errorf("%s%s is counted as a delivery: %+v", s.Name, feed.Name, c)
			}
			// An address that ends so by mistake takes real deliveries for what they are.
			send(true, func(d *provider.Delivery) { d.Body = []byte(`{"event":"certificate_issued","data":{"order_id":1}}`) })
			if e := log.events[len(log.events)-1]; e.Data.Event == schema.OwnTest {
				t.Errorf("%s%s: a real delivery is taken for a test", s.Name, feed.Name)
			}
		}
	}
}
