package ask

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

func TestNext(t *testing.T) {
	now := schema.At(newWorld().now)
	withPEM := &schema.Certificate{PEM: "-----BEGIN CERTIFICATE-----"}
	for name, tc := range map[string]struct {
		source   string
		kind     schema.Kind
		data     schema.Data
		imported string
		want     Question // without provider and order; What "" for nothing
	}{
		"updated":               {"/hooks/x", schema.OrderUpdated, schema.Data{}, "", Question{What: Describe}},
		"check failed":          {"/hooks/x", schema.OrderCheckFailed, schema.Data{}, "", Question{What: Describe}},
		"approval":              {"/hooks/x-push", schema.OrderApprovalRequested, schema.Data{}, "", Question{What: Describe}},
		"reissue ready":         {"/hooks/x", schema.OrderReissueReady, schema.Data{}, "", Question{What: Describe}},
		"domain of an order":    {"/hooks/x", schema.DomainValidated, schema.Data{Domain: "a.test"}, "", Question{What: Describe}},
		"issued":                {"/hooks/x", schema.OrderIssued, schema.Data{CertificateID: "7"}, "", Question{What: Collect, CertificateID: "7"}},
		"issued, without id":    {"/hooks/x", schema.OrderIssued, schema.Data{}, "", Question{What: Collect}},
		"issued, names only":    {"/ask/x", schema.OrderIssued, schema.Data{CertificateID: "7", Decoder: "reconcile/1", Certificate: &schema.Certificate{}}, "", Question{What: Collect, CertificateID: "7"}},
		"issued, with it":       {"/hooks/x", schema.OrderIssued, schema.Data{Certificate: withPEM}, "", Question{}},
		"rejected":              {"/hooks/x", schema.OrderRejected, schema.Data{}, "", Question{}},
		"revoked":               {"/hooks/x", schema.CertificateRevoked, schema.Data{CertificateID: "7"}, "", Question{}},
		"organization":          {"/hooks/x", schema.OrganizationValidated, schema.Data{}, "", Question{}},
		"imported":              {"/hooks/x", schema.OrderUpdated, schema.Data{}, "1", Question{}},
		"found first":           {"/ask/x", schema.OrderIssued, schema.Data{Decoder: "reconcile/1"}, FoundFirst, Question{}},
		"described":             {"/ask/x", schema.OrderDescribed, schema.Data{Decoder: "x-api/1"}, "", Question{}},
		"described, as unheard": {"/ask/x", schema.OrderDescribed, schema.Data{Decoder: "reconcile/1"}, "", Question{What: Describe}},
		"collected":             {"/ask/x", schema.CertificateCollected, schema.Data{Decoder: "x-api/1"}, "", Question{}},
		"clock":                 {schema.ClockSource, schema.CertificateExpiring, schema.Data{}, "", Question{}},
	} {
		tc.data.Provider, tc.data.OrderID = "x", "1"
		e := schema.New("id", tc.source, now, tc.kind, tc.data)
		e.Imported = tc.imported
		got, ok := Next(e)
		if tc.want.What != "" {
			tc.want.Provider, tc.want.OrderID = "x", "1"
		}
		if got != tc.want || ok != (tc.want.What != "") {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
		e.Data.OrderID = ""
		if got, ok := Next(e); ok {
			t.Errorf("%s, of no order: got %+v", name, got)
		}
	}
}

func TestNextOfARotation(t *testing.T) {
	now := schema.At(newWorld().now)
	whole := schema.Data{WebsiteID: "42", Domain: "a.test", DS: &wantNew}
	for name, tc := range map[string]struct {
		source string
		kind   schema.Kind
		change func(d *schema.Data)
		asks   bool
	}{
		"whole":           {"/hooks/x", schema.DNSSECRotationStarted, func(*schema.Data) {}, false},
		"without DS":      {"/hooks/x", schema.DNSSECRotationStarted, func(d *schema.Data) { d.DS = nil }, true},
		"ended without":   {"/hooks/x", schema.DNSSECRotationCompleted, func(d *schema.Data) { d.DS = nil }, true},
		"without zone":    {"/hooks/x", schema.DNSSECRotationStarted, func(d *schema.Data) { d.Domain = "" }, true},
		"partly readable": {"/hooks/x", schema.DNSSECRotationStarted, func(d *schema.Data) { d.Unreadable = []schema.Unreadable{{Part: "ds"}} }, true},
		"without website": {"/hooks/x", schema.DNSSECRotationStarted, func(d *schema.Data) { d.DS, d.WebsiteID = nil, "" }, false},
		"seen":            {"/ask/x", schema.DNSSECDSSeen, func(d *schema.Data) { d.Domain = "" }, false},
		"answered":        {"/ask/x", schema.DNSSECDescribed, func(d *schema.Data) { d.DS = nil }, false},
	} {
		d := whole
		d.Provider = "x"
		tc.change(&d)
		e := schema.New("id", tc.source, now, tc.kind, d)
		want := Question{}
		if tc.asks {
			want = Question{What: ListDS, Provider: "x", WebsiteID: "42"}
		}
		if got, ok := Next(e); got != want || ok != tc.asks {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
		e.Imported = "1"
		if got, ok := Next(e); ok {
			t.Errorf("%s, imported: got %+v", name, got)
		}
	}
}

type fakeClient struct{ asked string }

var errFake = errors.New("no")

func (f *fakeClient) Describe(_ context.Context, orderID string) (provider.Standing, provider.Answer, error) {
	f.asked = "describe " + orderID
	return provider.Standing{}, provider.Answer{Kind: schema.OrderDescribed}, nil
}

func (f *fakeClient) Collect(_ context.Context, orderID, certificateID string) (provider.Answer, error) {
	f.asked = "collect " + orderID + " " + certificateID
	return provider.Answer{}, errFake
}

func (f *fakeClient) ListDS(_ context.Context, websiteID string) (provider.Answer, error) {
	f.asked = "list " + websiteID
	return provider.Answer{Kind: schema.DNSSECDescribed}, nil
}

func TestQuestionIsAsked(t *testing.T) {
	f := &fakeClient{}
	if answer, ok, err := (Question{What: Describe, OrderID: "1"}).Ask(t.Context(), f); f.asked != "describe 1" || !ok || err != nil || answer.Kind != schema.OrderDescribed {
		t.Errorf("got %+v, %v, %v after %s", answer, ok, err, f.asked)
	}
	if _, ok, err := (Question{What: Collect, OrderID: "1", CertificateID: "7"}).Ask(t.Context(), f); f.asked != "collect 1 7" || !ok || !errors.Is(err, errFake) {
		t.Errorf("got %v, %v after %s", ok, err, f.asked)
	}
	if answer, ok, err := (Question{What: ListDS, WebsiteID: "42"}).Ask(t.Context(), f); f.asked != "list 42" || !ok || err != nil || answer.Kind != schema.DNSSECDescribed {
		t.Errorf("got %+v, %v, %v after %s", answer, ok, err, f.asked)
	}
	for _, what := range []string{Describe, Collect, ListDS} {
		if _, ok, err := (Question{What: what}).Ask(t.Context(), struct{}{}); ok || err != nil {
			t.Errorf("a client that cannot %s: %v, %v", what, ok, err)
		}
	}
}

func TestRotationFindsItsDS(t *testing.T) {
	servers := make([]ServerSighting, 3)
	before := wantNew
	before.KeyTag = 1
	r := Rotation{Provider: "sectigo", WebsiteID: "42", Domain: "example.test", DS: &wantNew, PreviousDS: &before}
	for _, tc := range []struct {
		step, state string
		tag         uint16 // of the DS that is looked for
		want        schema.Kind
	}{
		{"ds-submit", DSSeen, 22222, schema.DNSSECDSSeen}, {"ds-submit", DSMixed, 22222, ""}, {"ds-submit", DSUnknown, 22222, ""}, {"ds-submit", DSGone, 22222, ""},
		{"ds-retract", DSGone, 1, schema.DNSSECDSGone}, {"ds-retract", DSMixed, 1, ""}, {"ds-retract", DSUnknown, 1, ""}, {"ds-retract", DSSeen, 1, ""},
		{"", DSSeen, 0, ""}, {"", DSGone, 0, ""},
	} {
		r.NextStep = tc.step
		if ds, ok := r.Wanted(); ds.KeyTag != tc.tag || ok != (tc.tag != 0) {
			t.Errorf("%s: looks for %+v, %v", tc.step, ds, ok)
		}
		k, d, ok := r.Found(Sighting{State: tc.state, Parent: "test", TTL: 10 * time.Minute, Servers: servers})
		if k != tc.want || ok != (tc.want != "") || ok && (d.WebsiteID != "42" || d.DS.KeyTag != tc.tag || d.Reason == "") {
			t.Errorf("%s, %s: got %s %+v", tc.step, tc.state, k, d)
		}
	}
	r.NextStep, r.PreviousDS = "ds-retract", nil
	if _, ok := r.Wanted(); ok {
		t.Error("a DS that is not known is looked for")
	}
	r.NextStep, r.Domain = "ds-submit", ""
	if _, _, ok := r.Found(Sighting{State: DSSeen}); ok {
		t.Error("a zone that is not known is found")
	}
	e := FoundEvent("0199c0de-0000-7000-8000-000000000001", newWorld().now, schema.DNSSECDSSeen, schema.Data{Provider: "sectigo", WebsiteID: "42"})
	if e.Source != "/ask/sectigo" || e.NATSSubject() != "certs.dnssec.ds_seen.sectigo.42" {
		t.Errorf("got %+v", e)
	}
}
