package lifecycle

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// orderStates says which state (the lines) each event (the columns) leads to, by the state's first word.
const orderStates = `
before   updated  failed   delayed  passed   approval message  issued rejected canceled reissue revoked replaced
new      pending  action   pending  pending  action   action   issued rejected canceled reissue revoked pending
pending  pending  action   pending  pending  action   action   issued rejected canceled reissue revoked pending
failed   action   action   pending  pending  action   action   issued rejected canceled reissue revoked action
approval action   action   action   action   action   action   issued rejected canceled reissue revoked action
message  action   action   action   action   action   action   issued rejected canceled action  revoked action
issued   issued   issued   issued   issued   issued   action   issued rejected canceled reissue revoked issued
reissue  reissue  action   reissue  reissue  action   action   issued rejected canceled reissue revoked reissue
rejected rejected rejected rejected rejected rejected rejected issued rejected canceled reissue revoked rejected
canceled canceled canceled canceled canceled canceled canceled issued rejected canceled reissue revoked canceled
revoked  revoked  revoked  revoked  revoked  revoked  revoked  issued rejected canceled reissue revoked revoked
`

// grid folds the events of each line and column of a table, and holds the state to its cell.
func grid[S any](t *testing.T, table string, before, column map[string][]*schema.Event, fold func(S, uint64,
	*schema.Event) S, state func(S) string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Fields(lines[0])[1:]
	if len(lines) != len(before)+1 || len(columns) != len(column) {
		t.Fatalf("a table of %d by %d for %d histories and %d events", len(lines)-1, len(columns), len(before), len(column))
	}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, name := range columns {
			events := slices.Concat(before[cells[0]], column[name])
			for i, e := range events {
				copied := *e
				events[i] = &copied
			}
			if got := state(history(fold, events)); got != cells[i+1] {
				t.Errorf("%s, then %s: %s, want %s", cells[0], name, got, cells[i+1])
			}
		}
	}
}

func TestOrderStates(t *testing.T) {
	with := func(k schema.Kind, d schema.Data) []*schema.Event { return []*schema.Event{made(k, d)} }
	phone := func(state schema.CheckState) schema.Data {
		return schema.Data{Check: schema.CheckPhone, CheckState: state}
	}
	first, second := schema.Data{CertificateID: "1"}, schema.Data{CertificateID: "2"}
	column := map[string][]*schema.Event{
		"updated": with(schema.OrderUpdated, schema.Data{}), "failed": with(schema.OrderCheckFailed,
			phone(schema.CheckFailed)),
		"delayed": with(schema.OrderCheckDelayed, phone(schema.CheckDelayed)), "passed": with(schema.OrderUpdated,
			phone(schema.CheckPassed)),
		"approval": with(schema.OrderApprovalRequested, schema.Data{Check: schema.CheckApproval,
			CheckState: schema.CheckPending}),
		"message": with(schema.OrderMessageReceived, schema.Data{}), "issued": with(schema.OrderIssued, second),
		"rejected": with(schema.OrderRejected, schema.Data{}),
		"canceled": with(schema.OrderCanceled, schema.Data{}), "reissue": with(schema.OrderReissueReady, schema.Data{}),
		"revoked": with(schema.CertificateRevoked, first), "replaced": with(schema.CertificateReplaced, first),
	}
	issued := with(schema.OrderIssued, first)
	before := map[string][]*schema.Event{
		"new": nil, "pending": column["updated"], "failed": column["failed"], "approval": column["approval"],
		"message": column["message"], "issued": issued,
		"reissue": slices.Concat(issued, column["reissue"]), "rejected": column["rejected"], "canceled": column["canceled"],
		"revoked": slices.Concat(issued, column["revoked"]),
	}
	grid(t, orderStates, before, column, Order.Fold, func(o Order) string {
		word, _, _ := strings.Cut(o.State(), "_")
		return word
	})
}

// TestOrdersAreConsistent: what the parts of an order say about each other, after any history.
func TestOrdersAreConsistent(t *testing.T) {
	steps := map[string][]string{
		Pending: {StepWait}, ActionRequired: {StepAnswer, StepApprove, StepRead}, Issued: {StepInstall},
		ReissueReady: {StepReissue},
		Rejected:     {StepOrderAgain}, Canceled: {""}, Revoked: {StepReplace},
	}
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(orderEvent(), 1, 16).Draw(t, "events")
		o := history(Order.Fold, events)
		if !slices.Contains(steps[o.State()], o.NextStep()) {
			t.Fatalf("%s, next %q", o.State(), o.NextStep())
		}
		asks := slices.ContainsFunc(o.Waiting(), func(w Waiting) bool {
			return w.Kind == schema.MatterCheckFailed || w.Kind == schema.MatterApproval || w.Kind == schema.MatterMessage
		})
		if asks != (o.State() == ActionRequired) {
			t.Fatalf("%s, and %v waits", o.State(), o.Waiting())
		}
		for name, state := range o.Checks {
			if o.Phase == Issued && state != schema.CheckPassed {
				t.Fatalf("issued, and the check %s is %s", name, state)
			}
			if state == schema.CheckPassed && o.Reasons[name] != "" {
				t.Fatalf("the check %s has passed, and failed because of %s", name, o.Reasons[name])
			}
		}
		if !slices.Equal(slices.Sorted(maps.Keys(o.Checks)), slices.Sorted(maps.Keys(o.ChecksSince))) {
			t.Fatalf("checks %v, since %v", o.Checks, o.ChecksSince)
		}
		if o.StateSince.Before(o.FirstEventAt.Time) || o.StateSince.After(o.LastEventAt.Time) {
			t.Fatalf("in its state since %s, with events from %s to %s", o.StateSince, o.FirstEventAt, o.LastEventAt)
		}
		if !slices.IsSorted(o.RevokedIDs) || len(slices.Compact(slices.Clone(o.RevokedIDs))) != len(o.RevokedIDs) {
			t.Fatalf("revoked are %v", o.RevokedIDs)
		}
		last := events[len(events)-1]
		if last.Kind() == schema.OrderIssued {
			revoked := slices.Contains(o.RevokedIDs, last.Data.CertificateID)
			if o.CertificateID != last.Data.CertificateID || o.State() != map[bool]string{true: Revoked,
				false: Issued}[revoked] {
				t.Fatalf("issued with %s, the order is %s with %s", last.Data.CertificateID, o.State(), o.CertificateID)
			}
		}
	})
}

// TestReasonsOfChecks: a reason stands beside the check that it is about for as long as that fails or waits.
func TestReasonsOfChecks(t *testing.T) {
	check := func(name string, state schema.CheckState, reason string) *schema.Event {
		return made(schema.OrderUpdated, schema.Data{Check: name, CheckState: state, Reason: reason})
	}
	described := func(reason string, checks schema.Checks) *schema.Event {
		return made(schema.OrderDescribed, schema.Data{Reason: reason, Checks: checks})
	}
	failed, delayed, passed := schema.CheckFailed, schema.CheckDelayed, schema.CheckPassed
	for name, c := range map[string]struct {
		events []*schema.Event
		want   map[string]string
	}{
		"failed": {[]*schema.Event{check("phone", failed, "busy")}, map[string]string{"phone": "busy"}},
		"delayed": {[]*schema.Event{check("phone", delayed, "tomorrow")},
			map[string]string{"phone": "tomorrow"}},
		"the last one": {[]*schema.Event{check("phone", failed, "busy"), check("phone", failed, "no number")},
			map[string]string{"phone": "no number"}},
		"no reason any more": {[]*schema.Event{check("phone", failed, "busy"), check("phone", failed, "")}, nil},
		"passed":             {[]*schema.Event{check("phone", failed, "busy"), check("phone", passed, "at last")}, nil},
		"one of two": {[]*schema.Event{check("phone", failed, "busy"), check("csr", failed, "weak"),
			check("phone", passed, "")}, map[string]string{"csr": "weak"}},
		"issued": {[]*schema.Event{check("phone", failed, "busy"), made(schema.OrderIssued, schema.Data{})},
			nil},
		"late": {[]*schema.Event{made(schema.OrderIssued, schema.Data{}), check("phone", failed, "busy")},
			nil},
		"described": {[]*schema.Event{described("weak", schema.Checks{"csr": failed, "phone": delayed,
			"whois": passed})}, map[string]string{"csr": "weak"}},
		"described as waiting": {[]*schema.Event{described("queue", schema.Checks{"csr": passed, "phone": delayed})},
			map[string]string{"phone": "queue"}},
		"described, no reason": {[]*schema.Event{check("csr", failed, "weak"), described("",
			schema.Checks{"csr": failed})}, nil},
		"described of the other": {[]*schema.Event{check("phone", failed, "busy"), described("weak",
			schema.Checks{"csr": failed})}, map[string]string{"phone": "busy", "csr": "weak"}},
	} {
		if o := history(Order.Fold, c.events); !maps.Equal(o.Reasons, c.want) {
			t.Errorf("%s: the reasons are %v, want %v", name, o.Reasons, c.want)
		}
	}
}

// TestLongestWaitingFirst: what waits of an order stands in the order in which it began to, whatever order it was
// heard in since.
func TestLongestWaitingFirst(t *testing.T) {
	check := func(name string, state schema.CheckState) *schema.Event {
		return made(schema.OrderUpdated, schema.Data{Check: name, CheckState: state})
	}
	events := []*schema.Event{
		check("whois", schema.CheckDelayed), made(schema.OrderMessageReceived, schema.Data{}), check("csr",
			schema.CheckFailed),
		made(schema.OrderApprovalRequested, schema.Data{Check: schema.CheckApproval, CheckState: schema.CheckPending}),
		check("csr", schema.CheckFailed), check("phone", schema.CheckPending), check("organization", schema.CheckPassed),
	}
	o := history(Order.Fold, events)
	var got []string
	for _, w := range o.Waiting() {
		got = append(got, w.Kind+" "+w.Check)
	}
	want := []string{schema.MatterCheckDelayed + " whois", schema.MatterMessage + " ", schema.MatterCheckFailed + " csr",
		schema.MatterApproval + " approval"}
	if !slices.Equal(got, want) || o.WaitingSince() != schema.At(began).String() {
		t.Errorf("%q waits since %s, want %q", got, o.WaitingSince(), want)
	}
	for _, end := range []schema.Kind{schema.OrderRejected, schema.OrderCanceled, schema.CertificateRevoked} {
		if over := o.Fold(99, made(end, schema.Data{})); over.Waiting() != nil || over.WaitingSince() != "" {
			t.Errorf("after %s %v waits", end, over.Waiting())
		}
	}
}
