package projections

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestMatterOf: one occurrence is found as long as it is a matter, however many of its kind there are, and what
// resembles it is none.
func TestMatterOf(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(e *schema.Event) { l.append(e) }
	for i := range mattersEach + 20 {
		n++
		say(event(n, schema.OrderCheckFailed, schema.Data{OrderID: fmt.Sprint(i), Check: schema.CheckPhone, CheckState: schema.CheckFailed}))
	}
	for range mattersEach + 20 {
		n++
		say(event(n, schema.DeliveryUnrecognized, schema.Data{Reason: "why"}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	now := began.Add(time.Hour)
	last := fmt.Sprint(mattersEach + 19)
	since := schema.At(began.Add((mattersEach + 20) * time.Second))
	phone := schema.Matter{Kind: schema.MatterCheckFailed, Part: schema.CheckPhone, Since: since}
	state := func(provider, row string, of schema.Matter) string {
		t.Helper()
		m, err := s.MatterOf(t.Context(), provider, row, of, now)
		if errors.Is(err, ErrNotFound) {
			return "none"
		}
		if err != nil {
			t.Fatal(err)
		}
		return m.State
	}
	if got := state("digicert", last, phone); got != Undecided {
		t.Errorf("the last of many is %s", got)
	}
	if got := state("digicert", "", schema.Matter{Kind: schema.MatterQuarantined, Part: fmt.Sprint(mattersEach + 21), Since: schema.At(since.Add(time.Second))}); got != Undecided {
		t.Errorf("the oldest of many deliveries that were not understood is %s", got)
	}
	for what, got := range map[string]string{
		"no part":              state("digicert", last, schema.Matter{Kind: phone.Kind, Since: since}),
		"another part":         state("digicert", last, schema.Matter{Kind: phone.Kind, Part: schema.CheckOrganization, Since: since}),
		"another kind":         state("digicert", last, schema.Matter{Kind: schema.MatterCheckDelayed, Part: phone.Part, Since: since}),
		"another occurrence":   state("digicert", last, schema.Matter{Kind: phone.Kind, Part: phone.Part, Since: schema.At(began)}),
		"no such row":          state("digicert", "none", phone),
		"no such provider":     state("nosuch", last, phone),
		"no such delivery":     state("digicert", "", schema.Matter{Kind: schema.MatterQuarantined, Part: "1", Since: schema.At(began.Add(time.Second))}),
		"a delivery by a word": state("digicert", "", schema.Matter{Kind: schema.MatterQuarantined, Part: "x", Since: since}),
		"a provider's silence": state("digicert", "", schema.Matter{Kind: schema.MatterSilent, Since: since}),
	} {
		if got != "none" {
			t.Errorf("%s: %s", what, got)
		}
	}

	until := schema.At(now.Add(time.Hour))
	decide := func(k schema.Kind, m schema.Matter) {
		n++
		say(schema.NewDecision(fmt.Sprint("0199-", n), schema.At(began.Add(time.Duration(n)*time.Second)), k, "digicert", last, m))
		caughtUp(t, s)
	}
	taken := phone
	taken.Until = &until
	decide(schema.AttentionTaken, taken)
	if got := state("digicert", last, phone); got != lifecycle.Taken {
		t.Errorf("taken, it is %s", got)
	}
	decide(schema.AttentionAcknowledged, phone)
	if got := state("digicert", last, phone); got != lifecycle.Acknowledged {
		t.Errorf("acknowledged, though its check is cleared, it is %s", got)
	}
	n++
	say(event(n, schema.OrderCheckFailed, schema.Data{OrderID: "0", Check: schema.CheckPhone, CheckState: schema.CheckPassed}))
	say(event(n+1, schema.OrderIssued, schema.Data{OrderID: "0"}))
	caughtUp(t, s)
	if got := state("digicert", "0", schema.Matter{Kind: phone.Kind, Part: phone.Part, Since: schema.At(began.Add(time.Second))}); got != "none" {
		t.Errorf("once it is issued, its failed check is %s", got)
	}
}

// TestAMatterIsFoundByItsKey: no list of matters is gone through for one row's.
func TestAMatterIsFoundByItsKey(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	byKey(t, s, waiting, Query{Sort: "waiting_since"})
	byKey(t, s, announcedCertificates, Query{})
	byKey(t, s, revokedCertificates, Query{State: matter})
	byKey(t, s, lapsingCertificates, Query{State: matter, Sort: "not_after"})
	byKey(t, s, Domains, Query{State: lifecycle.Failed})
	byKey(t, s, endingOrganizations, Query{State: matter})
	byKey(t, s, rejectedLately, Query{State: matter})
	byKey(t, s, limited(DNSSECs, "next_step = 'ds-submit'"), Query{})
	byKey(t, s, Targets, Query{State: lifecycle.VerificationFailed})
	byKey(t, s, openTLSFindings, Query{Sort: "-severity"})
}

func byKey(t *testing.T, s *Store, m Model, q Query) {
	t.Helper()
	of := m.About()
	q.row, q.Now = &rowKey{"a", "b"}, began
	w, err := of.where(q)
	if err != nil {
		t.Fatal(err)
	}
	column, _, err := of.order(q.Sort)
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, s, "SELECT 1 FROM "+w.from(of.Name)+w.sql(column)+" ORDER BY "+column+", provider, "+of.Key+" LIMIT 1", w.args...)
	if want := "SEARCH " + of.Name + " USING PRIMARY KEY (provider=? AND " + of.Key + "=?)"; plan[0] != want || len(w.ways)+len(w.found) > 0 {
		t.Errorf("%s %s: %s, want %s", of.Name, q.State, plan[0], want)
	}
}

// planOf returns SQLite's plan of a query of the read models, step by step.
func planOf(t *testing.T, s *Store, query string, args ...any) []string {
	t.Helper()
	db, done, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer done(&err)
	return explained(t, db, query, args...)
}
