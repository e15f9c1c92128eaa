package ask_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

var asked = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func kinds(list []ask.Missed) string {
	var words []string
	for _, m := range list {
		words = append(words, string(m.Kind)+" "+m.Data.CertificateID)
	}
	return strings.Join(words, ", ")
}

func TestReconcile(t *testing.T) {
	for name, tc := range map[string]struct {
		said     provider.Standing
		believed []ask.Belief // of order 1; empty: certtrail has never heard of it
		want     string
		counts   ask.Counts
	}{
		"unheard, pending":        {provider.Standing{State: "pending", CertificateID: "7"}, nil, "order.described 7", ask.Counts{Missed: 1, Unheard: 1}},
		"unheard, issued":         {provider.Standing{State: "issued", CertificateID: "7"}, nil, "order.issued 7", ask.Counts{Missed: 1, Unheard: 1}},
		"unheard, revoked":        {provider.Standing{State: "revoked", CertificateID: "7"}, nil, "order.issued 7, certificate.revoked 7", ask.Counts{Missed: 1, Unheard: 1}},
		"unheard, rejected":       {provider.Standing{State: "rejected"}, nil, "order.rejected ", ask.Counts{Missed: 1, Unheard: 1}},
		"unheard, an odd word":    {provider.Standing{State: ""}, nil, "", ask.Counts{Unclear: 1}},
		"issued was missed":       {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "pending"}}, "order.issued 7", ask.Counts{Missed: 1}},
		"issued, action required": {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "action_required"}}, "order.issued 7", ask.Counts{Missed: 1}},
		"issued, with a message":  {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "action_required", CertificateID: "7"}}, "", ask.Counts{Agreed: 1}},
		"issued, and known":       {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "issued", CertificateID: "7"}}, "", ask.Counts{Agreed: 1}},
		"issued, id not known":    {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "issued"}}, "", ask.Counts{Agreed: 1}},
		"reissued":                {provider.Standing{State: "issued", CertificateID: "8"}, []ask.Belief{{State: "issued", CertificateID: "7"}}, "order.issued 8", ask.Counts{Missed: 1}},
		"reissue was ready":       {provider.Standing{State: "issued", CertificateID: "8"}, []ask.Belief{{State: "reissue_ready", CertificateID: "7"}}, "order.issued 8", ask.Counts{Missed: 1}},
		"issued, and revoked":     {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "revoked", CertificateID: "7"}}, "", ask.Counts{Behind: 1}},
		"issued after revoked":    {provider.Standing{State: "issued", CertificateID: "8"}, []ask.Belief{{State: "revoked", CertificateID: "7"}}, "order.issued 8", ask.Counts{Missed: 1}},
		"revoked was missed":      {provider.Standing{State: "revoked", CertificateID: "7"}, []ask.Belief{{State: "issued", CertificateID: "7"}}, "certificate.revoked 7", ask.Counts{Missed: 1}},
		"both were missed":        {provider.Standing{State: "revoked", CertificateID: "8"}, []ask.Belief{{State: "issued", CertificateID: "7"}}, "order.issued 8, certificate.revoked 8", ask.Counts{Missed: 1}},
		"revoked, and known":      {provider.Standing{State: "revoked"}, []ask.Belief{{State: "revoked", CertificateID: "7"}}, "", ask.Counts{Agreed: 1}},
		"rejected was missed":     {provider.Standing{State: "rejected"}, []ask.Belief{{State: "action_required"}}, "order.rejected ", ask.Counts{Missed: 1}},
		"canceled was missed":     {provider.Standing{State: "canceled"}, []ask.Belief{{State: "pending"}}, "order.canceled ", ask.Counts{Missed: 1}},
		"canceled, and known":     {provider.Standing{State: "canceled"}, []ask.Belief{{State: "canceled"}}, "", ask.Counts{Agreed: 1}},
		"reissue ready":           {provider.Standing{State: "reissue_ready"}, []ask.Belief{{State: "issued"}}, "order.reissue_ready ", ask.Counts{Missed: 1}},
		"pending, and known":      {provider.Standing{State: "pending"}, []ask.Belief{{State: "action_required"}}, "", ask.Counts{Agreed: 1}},
		"pending, and issued":     {provider.Standing{State: "pending"}, []ask.Belief{{State: "issued"}}, "", ask.Counts{Behind: 1}},
		"an odd word":             {provider.Standing{State: ""}, []ask.Belief{{State: "pending"}}, "", ask.Counts{Unclear: 1}},
		"told meanwhile":          {provider.Standing{State: "issued", CertificateID: "7"}, []ask.Belief{{State: "issued", CertificateID: "8", LastEventAt: asked.Add(1)}}, "", ask.Counts{Behind: 1}},
		"another is not listed":   {provider.Standing{State: "canceled"}, []ask.Belief{{State: "canceled"}, {OrderID: "2", State: "pending"}, {OrderID: "3", State: "issued"}}, "", ask.Counts{Agreed: 1, Unlisted: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range tc.believed {
				if tc.believed[i].OrderID == "" {
					tc.believed[i].OrderID = "1"
				}
			}
			tc.said.OrderID = "1"
			tc.counts.Said = 1
			r := ask.Reconcile("digicert", asked, []provider.Standing{tc.said}, tc.believed)
			if kinds(r.Missed) != tc.want || r.Counts != tc.counts {
				t.Errorf("got %s %+v, want %s %+v", kinds(r.Missed), r.Counts, tc.want, tc.counts)
			}
		})
	}
}

func TestReconcileCertificates(t *testing.T) {
	said := []provider.Standing{
		{CertificateID: "1", State: "revoked"}, {CertificateID: "2", State: "revoked"}, {CertificateID: "3", State: "issued"}, {CertificateID: "4", State: "issued"},
		{State: "revoked"}, {CertificateID: "5", State: "revoked"}, {CertificateID: "5", State: "revoked"},
	}
	believed := []ask.Belief{{CertificateID: "1", State: "issued"}, {CertificateID: "2", State: "revoked"}, {CertificateID: "3", State: "revoked"}}
	r := ask.Reconcile("sectigo", asked, said, believed)
	if got, want := kinds(r.Missed), "certificate.revoked 1, certificate.revoked 5"; got != want || r.Counts != (ask.Counts{Said: 7, Agreed: 3, Missed: 2, Unclear: 1, Behind: 1, Unheard: 1}) {
		t.Errorf("got %s %+v", got, r.Counts)
	}
}

func TestMissedEvents(t *testing.T) {
	at := schema.At(asked.AddDate(0, -1, 0))
	s := provider.Standing{OrderID: "1", CertificateID: "7", State: "issued", Word: "issued", At: &at, Certificate: &schema.Certificate{CommonName: "www.example.test"}, Checks: schema.Checks{"csr": "passed"}}
	r := ask.Reconcile("digicert-eu", asked, []provider.Standing{s}, nil)
	const id = "0199c0de-0000-7000-8000-000000000001"
	e := r.Missed[0].Event(id, asked, true)
	if e.ID != id || e.Source != "/ask/digicert-eu" || e.Imported != ask.FoundFirst || e.NATSSubject() != "certs.order.issued.digicert-eu.1" || !e.OccurredAt().Equal(at.Time) ||
		e.Data.Decoder != "reconcile/1" || e.Data.Event != "issued" || e.Data.Certificate.CommonName != "www.example.test" || e.Data.Original != nil || e.Data.Checks != nil {
		t.Errorf("got %+v", e)
	}
	if e := r.Missed[0].Event(id, asked, false); e.Imported != "" {
		t.Errorf("a later reconcile's is %+v", e)
	}
	s.State = "pending"
	if m := ask.Reconcile("p", asked, []provider.Standing{s}, nil).Missed[0]; m.Kind != schema.OrderDescribed || m.Data.Checks["csr"] != "passed" || m.Data.OccurredAt != nil {
		t.Errorf("got %+v", m)
	}
}

// folded returns what the state machine makes of events about one order.
func folded(o lifecycle.Order, events []*schema.Event) lifecycle.Order {
	for _, e := range events {
		o = o.Fold(uint64(o.EventCount+1), e)
	}
	return o
}

// Whatever certtrail was told and whatever the provider says: once the missed events are in the log, nothing is left to
// reconcile, and where a state was missed, that is where the order stands.
func TestReconcileSettles(t *testing.T) {
	told := rapid.SampledFrom([]schema.Kind{
		schema.OrderIssued, schema.OrderRejected, schema.OrderCanceled, schema.OrderReissueReady, schema.OrderCheckFailed, schema.OrderMessageReceived, schema.CertificateRevoked,
	})
	id := rapid.SampledFrom([]string{"", "7", "8"})
	rapid.Check(t, func(t *rapid.T) {
		orders := map[string]lifecycle.Order{}
		var said []provider.Standing
		for i := range rapid.IntRange(1, 4).Draw(t, "orders") {
			order := fmt.Sprint(i)
			var events []*schema.Event
			for range rapid.IntRange(0, 5).Draw(t, "told") {
				d := schema.Data{Provider: "p", OrderID: order, CertificateID: id.Draw(t, "certificate")}
				k := told.Draw(t, "kind")
				if k == schema.OrderCheckFailed {
					d.Check, d.CheckState = schema.CheckPhone, schema.CheckFailed
				}
				events = append(events, schema.New("id", "/hooks/p", schema.At(asked.Add(-time.Hour)), k, d))
			}
			if len(events) > 0 {
				orders[order] = folded(lifecycle.Order{}, events)
			}
			if rapid.Bool().Draw(t, "listed") {
				state := rapid.SampledFrom([]string{"", "pending", "issued", "reissue_ready", "rejected", "canceled", "revoked"}).Draw(t, "state")
				said = append(said, provider.Standing{OrderID: order, CertificateID: id.Draw(t, "said certificate"), State: state, Word: state})
			}
		}
		beliefs := func() []ask.Belief {
			var list []ask.Belief
			for order, o := range orders {
				list = append(list, ask.Belief{OrderID: order, CertificateID: o.CertificateID, State: o.State(), LastEventAt: o.LastEventAt.Time})
			}
			return list
		}
		r := ask.Reconcile("p", asked, said, beliefs())
		if c := r.Counts; c.Said != len(said) || c.Said != c.Agreed+c.Missed+c.Unclear+c.Behind || c.Unheard > c.Missed || len(r.Missed) < c.Missed || len(r.Missed) > 2*c.Missed {
			t.Fatalf("%d events, %+v", len(r.Missed), c)
		}
		for _, m := range r.Missed {
			e := m.Event("id", asked, false)
			orders[m.Data.OrderID] = folded(orders[m.Data.OrderID], []*schema.Event{e})
		}
		again := ask.Reconcile("p", asked, said, beliefs())
		if len(again.Missed) != 0 {
			t.Fatalf("%s is missed once more, after %s", kinds(again.Missed), kinds(r.Missed))
		}
		for _, s := range said {
			touched := slices.ContainsFunc(r.Missed, func(m ask.Missed) bool { return m.Data.OrderID == s.OrderID })
			o := orders[s.OrderID]
			if s.State == provider.StandingIssued && slices.Contains(o.RevokedIDs, s.CertificateID) {
				s.State = provider.StandingRevoked // the provider's order outlives its certificate
			}
			if got := o.State(); touched && got != s.State && got != lifecycle.ActionRequired {
				t.Fatalf("order %s is %s after %s, and the provider says %s", s.OrderID, got, kinds(r.Missed), s.State)
			}
		}
	})
}
