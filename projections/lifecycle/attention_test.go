package lifecycle

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// decisionOf makes a person's decision about the part of the order that waits.
func decisionOf(k schema.Kind, w Waiting) *schema.Event {
	return schema.NewDecision("decision", schema.At(began), k, "digicert", "12345", schema.Matter{Kind: w.Kind, Part: w.Check, Since: w.Since})
}

// next folds one event more, a minute after the others.
func next(o Order, n int, e *schema.Event) Order {
	e.Time = schema.At(began.Add(time.Duration(n) * time.Minute))
	return o.Fold(uint64(n+1), e)
}

// TestAcknowledgedIsCleared: from any state, acknowledging what waits of a check or a message clears that and nothing
// else, once.
func TestAcknowledgedIsCleared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(orderEvent(), 1, 12).Draw(t, "events")
		o := history(Order.Fold, events)
		waiting := o.Waiting()
		for i, w := range waiting {
			after := next(o, len(events), decisionOf(schema.AttentionAcknowledged, w))
			left := after.Waiting()
			cleared := w.Kind != schema.MatterApproval && w.Kind != schema.MatterReissue
			if want := len(waiting) - map[bool]int{true: 1}[cleared]; len(left) < want || cleared && len(left) > want+1 { // without its message an order may be ready to be reissued again
				t.Fatalf("of %v, %v was acknowledged, and %v waits", waiting, w, left)
			}
			for _, l := range left {
				if cleared && l == w {
					t.Fatalf("%v waits still", w)
				}
			}
			if w.Kind == schema.MatterCheckFailed && w.Check != schema.CheckApproval && after.Checks[w.Check] != schema.CheckPending {
				t.Fatalf("check %s is %s", w.Check, after.Checks[w.Check])
			}
			if again := next(after, len(events)+1, decisionOf(schema.AttentionAcknowledged, w)); meaning(again) != meaning(after) {
				t.Fatalf("%d: acknowledged again\n%s, once\n%s", i, meaning(again), meaning(after))
			}
		}
	})
}

// TestOtherDecisionsChangeNoState: what is snoozed, taken or reopened, and what is acknowledged of an occurrence that
// is over, only counts.
func TestOtherDecisionsChangeNoState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(orderEvent(), 1, 12).Draw(t, "events")
		o := history(Order.Fold, events)
		kind := rapid.SampledFrom([]schema.Kind{schema.AttentionAcknowledged, schema.AttentionSnoozed, schema.AttentionTaken, schema.AttentionReopened}).Draw(t, "kind")
		w := Waiting{schema.MatterCheckFailed, schema.CheckPhone, schema.At(began.Add(-time.Hour))}
		if waiting := o.Waiting(); kind != schema.AttentionAcknowledged && len(waiting) > 0 {
			w = rapid.SampledFrom(waiting).Draw(t, "what waits")
		}
		after := next(o, len(events), decisionOf(kind, w))
		if meaning(after) != meaning(o) || after.StateSince != o.StateSince || after.EventCount != o.EventCount+1 {
			t.Fatalf("%s changed\n%s to\n%s", kind, meaning(o), meaning(after))
		}
	})
}

// TestANewOccurrenceIsAnotherMatter: what failed again after it was acknowledged waits again, under another id.
func TestANewOccurrenceIsAnotherMatter(t *testing.T) {
	failed := func() *schema.Event {
		return made(schema.OrderCheckFailed, schema.Data{Check: schema.CheckPhone, CheckState: schema.CheckFailed})
	}
	o := history(Order.Fold, []*schema.Event{failed()})
	first := o.Waiting()[0]
	o = next(o, 1, decisionOf(schema.AttentionAcknowledged, first))
	if o.State() != Pending || len(o.Waiting()) != 0 {
		t.Fatalf("acknowledged it is %s, and %v waits", o.State(), o.Waiting())
	}
	o = next(o, 2, failed())
	again := o.Waiting()
	if o.State() != ActionRequired || len(again) != 1 || again[0].Since == first.Since {
		t.Fatalf("failed again it is %s, and %v waits", o.State(), again)
	}
	if o = next(o, 3, decisionOf(schema.AttentionAcknowledged, first)); o.State() != ActionRequired {
		t.Error("a decision about the first failure cleared the second")
	}
}

// TestDecisionsMakeNoRows: a decision about a row of which nobody told leaves it as it is: not there.
func TestDecisionsMakeNoRows(t *testing.T) {
	e := decisionOf(schema.AttentionAcknowledged, Waiting{Kind: schema.MatterMessage, Since: schema.At(began)})
	counts := []int{Order{}.Fold(1, e).EventCount, Certificate{}.Fold(1, e).EventCount, Domain{}.Fold(1, e).EventCount, DNSSEC{}.Fold(1, e).EventCount, Target{}.Fold(1, e).EventCount, Finding{}.Fold(1, e).EventCount}
	for i, n := range counts {
		if n != 0 {
			t.Errorf("fold %d counts %d events", i, n)
		}
	}
}

// TestStanding: the last decision holds, as long as it says.
func TestStanding(t *testing.T) {
	at := func(d time.Duration) *schema.Time { t := schema.At(began.Add(d)); return &t }
	decided := func(k schema.Kind, until *schema.Time) *schema.Event {
		return schema.NewDecision("id", schema.At(began), k, "digicert", "1", schema.Matter{Kind: schema.MatterMessage, Since: schema.At(began), Until: until})
	}
	ack, take, snooze, reopen := schema.AttentionAcknowledged, schema.AttentionTaken, schema.AttentionSnoozed, schema.AttentionReopened
	for name, c := range map[string]struct {
		events []*schema.Event
		after  time.Duration
		want   string
	}{
		"snoozed":               {[]*schema.Event{decided(snooze, at(time.Hour))}, 59 * time.Minute, Snoozed},
		"no longer":             {[]*schema.Event{decided(snooze, at(time.Hour))}, time.Hour, ""},
		"snoozed for ever":      {[]*schema.Event{decided(snooze, nil)}, 0, ""},
		"taken":                 {[]*schema.Event{decided(take, nil)}, 1000 * time.Hour, Taken},
		"taken for an hour":     {[]*schema.Event{decided(take, at(time.Hour))}, 2 * time.Hour, ""},
		"reopened":              {[]*schema.Event{decided(take, nil), decided(reopen, nil)}, 0, ""},
		"acknowledged at last":  {[]*schema.Event{decided(snooze, at(time.Hour)), decided(ack, nil)}, 2 * time.Hour, Acknowledged},
		"reopened after all":    {[]*schema.Event{decided(ack, nil), decided(reopen, nil)}, 0, ""},
		"of a kind not known":   {[]*schema.Event{decided("attention.framed", nil)}, 0, ""},
		"taken after a snoozed": {[]*schema.Event{decided(snooze, at(time.Hour)), decided(take, at(9*time.Hour))}, 2 * time.Hour, Taken},
	} {
		d := history(Decision.Fold, c.events)
		if got := d.Standing(began.Add(c.after)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAnAcknowledgedApprovalLeavesNothing: with the check of an approval that failed goes since when it had.
func TestAnAcknowledgedApprovalLeavesNothing(t *testing.T) {
	o := next(Order{}, 1, made(schema.OrderUpdated, schema.Data{OrderID: "12345", Check: schema.CheckApproval, CheckState: schema.CheckFailed, Reason: "why"}))
	waiting := o.Waiting()
	if len(waiting) != 1 || waiting[0].Kind != schema.MatterCheckFailed {
		t.Fatalf("a failed approval waits for %+v", waiting)
	}
	o = next(o, 2, decisionOf(schema.AttentionAcknowledged, waiting[0]))
	if len(o.Checks) != 0 || len(o.ChecksSince) != 0 || len(o.Reasons) != 0 {
		t.Errorf("acknowledged it leaves the checks %v, since %v, because of %v", o.Checks, o.ChecksSince, o.Reasons)
	}
}
