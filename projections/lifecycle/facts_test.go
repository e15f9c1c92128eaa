package lifecycle

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

func TestFacts(t *testing.T) {
	at, one, none := schema.At(began), 1, 0
	certificate := &schema.Certificate{CommonName: "a.example", NotAfter: &at}
	ten := schema.Checks{schema.CheckPhone: schema.CheckPassed}
	for i := range namesListed + 2 {
		ten[schema.DomainCheck(fmt.Sprint(i, ".example"))] = schema.CheckPending
	}
	for _, c := range []struct {
		kind schema.Kind
		d    schema.Data
		want string
	}{
		{schema.OrderIssued, schema.Data{CertificateID: "1", Certificate: certificate}, `{"certificate":"1","until":"2026-11-21T22:00:00.000Z"}`},
		{schema.OrderRejected, schema.Data{Reason: "no"}, `{"reason":"no"}`},
		{schema.OrderCanceled, schema.Data{Reason: "no"}, `{}`},
		{schema.OrderCheckFailed, schema.Data{Check: "phone", CheckState: "failed", Reason: "no answer"}, `{"check":"phone","reason":"no answer"}`},
		{schema.OrderUpdated, schema.Data{Event: "X"}, `{"event":"X"}`},
		{schema.OrderUpdated, schema.Data{Event: "X", Check: "phone", CheckState: "passed"}, `{"check":"phone","state":"passed"}`},
		{schema.OrderDescribed, schema.Data{Checks: schema.Checks{"csr": "passed", "phone": "failed"}}, `{"open":{"phone":"failed"}}`},
		{schema.CertificateRevoked, schema.Data{CertificateID: "1", Reason: "lost"}, `{"certificate":"1","reason":"lost"}`},
		{schema.CertificateReplaced, schema.Data{CertificateID: "1", Reason: "lost"}, `{"certificate":"1"}`},
		{schema.CertificateRevocationAnnounced, schema.Data{CertificateID: "1", RevokesAt: &at}, `{"certificate":"1","until":"2026-11-21T22:00:00.000Z"}`},
		{schema.CertificateCollected, schema.Data{CertificateID: "1", Certificate: certificate}, `{"certificate":"1","until":"2026-11-21T22:00:00.000Z"}`},
		{schema.DomainValidated, schema.Data{Domain: "xn--bcher-kva.example", ExpiresAt: &at}, `{"domain":"xn--bcher-kva.example","until":"2026-11-21T22:00:00.000Z"}`},
		{schema.OrganizationExpired, schema.Data{OrganizationID: "7", OrganizationName: "Example"}, `{"organization":"Example"}`},
		{schema.DNSSECDSSeen, schema.Data{Reason: "all have it"}, `{"reason":"all have it"}`},
		{schema.UserKeysProvisioned, schema.Data{User: withKeys("ssh", "jane@example.test", "hardware", "4711")}, `{"keys":["ssh","hardware"]}`},
		{schema.UserModified, schema.Data{User: withKeys("ssh", "jane@example.test")}, `{}`},
		{schema.TargetVerificationFailed, schema.Data{Reason: "no file", Target: &schema.Target{Host: "a.example"}}, `{"target":"a.example","reason":"no file"}`},
		{schema.TargetCreated, schema.Data{Target: &schema.Target{Name: "Shop"}}, `{"target":"Shop"}`},
		{schema.TargetDeleted, schema.Data{}, `{}`},
		{schema.ScanStarted, schema.Data{Scan: &schema.Scan{Highs: &none}}, `{}`},
		{schema.ScanCompleted, schema.Data{Scan: &schema.Scan{Highs: &one, Lows: &none, CompletedAt: &at}}, `{"findings":{"highs":1,"lows":0}}`},
		{schema.FindingDetected, schema.Data{Finding: &schema.Finding{Name: "Expired certificate"}}, `{"finding":"Expired certificate"}`},
		{schema.FindingFixed, schema.Data{FindingID: "t:1"}, `{"finding":"t:1"}`},
		{schema.AttentionTaken, schema.Data{Matter: &schema.Matter{Kind: schema.MatterCheckFailed, Part: "phone", Until: &at, Note: "called"}},
			`{"check":"phone","matter":"check_failed","until":"2026-11-21T22:00:00.000Z","reason":"called"}`},
		{schema.AttentionReopened, schema.Data{Matter: &schema.Matter{Kind: schema.MatterQuarantined, Part: "7"}}, `{"matter":"delivery_quarantined"}`},
		{schema.AttentionReopened, schema.Data{}, `{}`},
		{"moon.risen", schema.Data{Event: "moon", Reason: "night"}, `{}`},
	} {
		got, err := json.Marshal(FactsOf(probed(c.kind, c.d)))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", c.kind, got, err, c.want)
		}
	}
	if f := FactsOf(probed(schema.OrderDescribed, schema.Data{Checks: ten})); len(f.Open) != namesListed || f.More != 2 {
		t.Errorf("of ten open checks the facts have %d, and %d more", len(f.Open), f.More)
	}
}

// TestFactsAreKept: what is written of the facts of any event that was ever written is read again as it was, and
// reading them changes nothing of the event.
func TestFactsAreKept(t *testing.T) {
	files, err := filepath.Glob("../../schema/testdata/events/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d events (%v)", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, wire, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		e, err := schema.Decode([]byte(wire))
		if err != nil {
			t.Fatal(err)
		}
		kept(t, e)
	}
}

// kept makes sure that the facts of an event outlast their JSON.
func kept(t interface{ Fatalf(string, ...any) }, e *schema.Event) {
	f := FactsOf(e)
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var again Facts
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(f, again) {
		t.Fatalf("%s: %s is read as %+v (%v)", e.Type, text, again, err)
	}
}

// TestFactsOfAnyOrder: the facts of any event of an order are kept, and are the same whenever they are asked for.
func TestFactsOfAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := orderEvent().Draw(t, "event")
		kept(t, e)
		if a, b := FactsOf(e), FactsOf(e); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v, then %+v", a, b)
		}
	})
}

// TestFactsTellNobody: of a person no fact tells more than the kinds of their keys, nor does one tell who decided.
func TestFactsTellNobody(t *testing.T) {
	person := &schema.Person{ID: "p-4711", Username: "jdoe", Name: "Jane Doe", Email: "jane@example.test", Phone: "+31 20 1234567", Groups: []string{"admins"}}
	user := withKeys("ssh", "ssh-ed25519 AAAA jane@example.test")
	user.Person = person
	for _, kind := range []schema.Kind{schema.UserCreated, schema.UserModified, schema.UserDeleted, schema.UserKeysProvisioned, schema.AttentionTaken, schema.AttentionSnoozed} {
		e := probed(kind, schema.Data{UserID: "hash", User: user, Matter: &schema.Matter{Kind: schema.MatterExpires}})
		text, err := json.Marshal(FactsOf(e))
		if err != nil {
			t.Fatal(err)
		}
		for _, tells := range []string{"p-4711", "jdoe", "Jane", "example.test", "1234567", "admins", "hash", "AAAA"} {
			if strings.Contains(string(text), tells) {
				t.Errorf("%s: the facts tell of the person: %s", kind, text)
			}
		}
	}
}
