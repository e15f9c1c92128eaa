package ingest

import (
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

// TestWordsAreRedacted: what is taken out of the original does not stand beside it either.
func TestWordsAreRedacted(t *testing.T) {
	for _, c := range []struct {
		system provider.System
		d      provider.Delivery
	}{
		{sectigo.System, provider.Delivery{Feed: "push", Method: "GET", Query: "orderNumber=1&eventType=Certificate&status=failed&statusDesc=mail+to+canary%40example.test+bounced,+password%3Dcanary"}},
		{sectigo.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"canary@example.test"}`)}},
		{digicert.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"certificate_revoked","data":{"certificate_id":7,"reason":"asked by canary@example.test"}}`)}},
		{digicert.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"organization_validated","data":{"organization_id":7,"organization_name":"Example, token=canary"}}`)}},
		{digicert.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"domain_validated","data":{"domain_name":"canary@example.test","validated_until":"token=canary"}}`)}},
		{sectigo.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"website_dnssec_rotation_start","target":{"type":"Website","id":1},"body":{"domain":"canary@example.test","keytag":"token=canary","algorithm":13,"digest":"00"}}`)}},
		{sectigo.System, provider.Delivery{Feed: "push", Method: "GET", Query: "orderNumber=1&eventType=PreRevocationNotification&revocationDate=ask+canary%40example.test"}},
		{xolphin.System, provider.Delivery{Method: "GET", Query: "RequestId=1&Status=Updated&State=DCV&Domain=canary%40example.test"}},
		{probely.System, provider.Delivery{Method: "POST", Body: []byte(`{"event_type":"finding_detected","content":{"id":1,"parameter":"canary@example.test","definition":{"name":"token=canary"}}}`)}},
		{probely.System, provider.Delivery{Method: "POST", Body: []byte(`{"event_type":"target_created","content":{"id":"t","name":"of canary@example.test","site":{"url":"https://canary@a.example/"}}}`)}},
		{probely.System, provider.Delivery{Method: "POST", Body: []byte(`{"event_type":"target_verification_failed","content":{"id":"t","site":{"verification_last_error":"ask canary@example.test"}}}`)}},
	} {
		e := received(t, source(c.system, c.system.Kind), &c.d)
		if text := wire(t, e); strings.Contains(text, "canary") {
			t.Errorf("stored: %s", text)
		}
		if again := NewRedecoder(systems, nil).WithKeys(persons).Redecode(e); again != e {
			t.Errorf("read again, %s becomes %s", wire(t, e), wire(t, again))
		}
	}
}
