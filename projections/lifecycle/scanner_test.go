package lifecycle

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// targetStates says which state (the lines) each event (the columns) leads to: what was deleted is not there until
// it is created again.
const targetStates = `
before   created             verified            failed              deleted other
new      created             verified            verification_failed deleted -
created  created             verified            verification_failed deleted created
verified verified            verified            verification_failed deleted verified
failed   verification_failed verified            verification_failed deleted verification_failed
deleted  created             deleted             deleted             deleted deleted
`

func TestTargetGrid(t *testing.T) {
	one := func(k schema.Kind) []*schema.Event { return []*schema.Event{probed(k, schema.Data{TargetID: "t"})} }
	column := map[string][]*schema.Event{
		"created": one(schema.TargetCreated), "verified": one(schema.TargetVerified),
		"failed":  one(schema.TargetVerificationFailed),
		"deleted": one(schema.TargetDeleted), "other": one("target.renamed"),
	}
	before := map[string][]*schema.Event{"new": nil}
	for _, name := range []string{"created", "verified", "failed", "deleted"} {
		before[name] = column[name]
	}
	grid(t, targetStates, before, column, Target.Fold, func(x Target) string {
		if x.State == "" {
			return "-"
		}
		return x.State
	})
}

// TestLessIsNoNews: what an event leaves out stays as it was known; what it says takes the old one's place.
func TestLessIsNoNews(t *testing.T) {
	at, later := schema.At(began), schema.At(began.Add(time.Hour))
	one, two := 1, 2
	whole := schema.Target{Name: "Shop", URL: "https://a.example", Host: "a.example", VerificationMethod: "file"}
	scan := schema.Scan{Status: "started", Profile: "full", StartedAt: &at, CompletedAt: &at, Lows: &one, Mediums: &one,
		Highs: &one}
	finding := schema.Finding{Name: "Expired certificate", DefinitionID: "d", URL: "https://a.example",
		Host: "a.example", Method: "get", Parameter: "p", State: "notfixed", CVSSVector: "v",
		LastFoundAt: &at, Severity: 30, CVSSScore: 6.1}
	target := func(x *schema.Target) *schema.Event {
		return probed(schema.TargetVerified, schema.Data{TargetID: "t", Target: x})
	}
	if got := history(Target.Fold, []*schema.Event{target(&whole), target(&schema.Target{}),
		target(nil)}).About; got != whole {
		t.Errorf("nothing said changed the target to %+v", got)
	}
	changed := schema.Target{Name: "Store", URL: "https://b.example", Host: "b.example", VerificationMethod: "dns"}
	if got := history(Target.Fold, []*schema.Event{target(&whole), target(&changed)}).About; got != changed {
		t.Errorf("the target is %+v, want %+v", got, changed)
	}
	scanned := func(s *schema.Scan) *schema.Event {
		return probed(schema.ScanStarted, schema.Data{ScanID: "s", Scan: s})
	}
	if got := history(Scan.Fold, []*schema.Event{scanned(&scan), scanned(&schema.Scan{}),
		scanned(nil)}).About; !reflect.DeepEqual(got, scan) {
		t.Errorf("nothing said changed the scan to %+v", got)
	}
	ended := schema.Scan{Status: "completed", Profile: "quick", StartedAt: &later, CompletedAt: &later, Lows: &two,
		Mediums: &two, Highs: &two}
	if got := history(Scan.Fold, []*schema.Event{scanned(&scan), scanned(&ended)}).About; !reflect.DeepEqual(got, ended) {
		t.Errorf("the scan is %+v, want %+v", got, ended)
	}
	found := func(f *schema.Finding) *schema.Event {
		return probed(schema.FindingDetected, schema.Data{FindingID: "t:1", Finding: f})
	}
	if got := history(Finding.Fold, []*schema.Event{found(&finding), found(&schema.Finding{}),
		found(nil)}).About; !reflect.DeepEqual(got, finding) {
		t.Errorf("nothing said changed the finding to %+v", got)
	}
	fixed := schema.Finding{Name: "Weak cipher", DefinitionID: "e", URL: "https://b.example", Host: "b.example",
		Method: "post", Parameter: "q", State: "fixed", CVSSVector: "w",
		LastFoundAt: &later, Severity: 40, CVSSScore: 9}
	if got := history(Finding.Fold, []*schema.Event{found(&finding), found(&fixed)}).About; !reflect.DeepEqual(got,
		fixed) {
		t.Errorf("the finding is %+v, want %+v", got, fixed)
	}
}

// TestEventsOfAScanCommute: a scan's end says the same whether or not its start was heard before, and whichever came
// first.
func TestEventsOfAScanCommute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]schema.Kind{schema.ScanCompleted, schema.ScanCanceled, schema.ScanFailed}).Draw(t, "end")
		at := func(minutes int) *schema.Time {
			t := schema.At(began.Add(time.Duration(minutes) * time.Minute))
			return &t
		}
		events := []*schema.Event{
			probed(schema.ScanStarted, schema.Data{ScanID: "s", TargetID: "t", OccurredAt: at(-60)}),
			probed(end, schema.Data{ScanID: "s", OccurredAt: at(-30), Target: &schema.Target{Host: "a.example"}}),
		}
		if rapid.Bool().Draw(t, "the end first") {
			slices.Reverse(events)
		}
		if rapid.Bool().Draw(t, "the first again") {
			copied := *events[0]
			events = append(events, &copied)
		}
		s := history(Scan.Fold, events)
		want := map[schema.Kind]string{schema.ScanCompleted: Completed, schema.ScanCanceled: Canceled,
			schema.ScanFailed: Failed}[end]
		if s.State != want || *s.About.StartedAt != *at(-60) || *s.About.CompletedAt != *at(-30) || s.TargetID != "t" ||
			s.Host != "a.example" {
			t.Fatalf("after %s it is %+v", end, s)
		}
	})
}

// TestScansSayWhen: the scanner's own times hold, and the event's where it gives none.
func TestScansSayWhen(t *testing.T) {
	own, occurred := schema.At(began.Add(-time.Hour)), schema.At(began.Add(-time.Minute))
	said := history(Scan.Fold, []*schema.Event{
		probed(schema.ScanStarted, schema.Data{ScanID: "s", OccurredAt: &occurred, Scan: &schema.Scan{StartedAt: &own}}),
		probed(schema.ScanFailed, schema.Data{ScanID: "s", OccurredAt: &occurred, Scan: &schema.Scan{CompletedAt: &own}}),
	})
	if *said.About.StartedAt != own || *said.About.CompletedAt != own {
		t.Errorf("it ran from %s to %s, want %s", said.About.StartedAt, said.About.CompletedAt, own)
	}
	silent := history(Scan.Fold, []*schema.Event{probed(schema.ScanStarted, schema.Data{ScanID: "s"}),
		probed("scan.paused", schema.Data{ScanID: "s"})})
	if silent.State != ScanStarted || silent.About.StartedAt != nil || silent.About.CompletedAt != nil {
		t.Errorf("of a scan without times: %+v", silent)
	}
}

// TestFindingTimes: a finding is as old as when it was detected, or detected again after it was fixed.
func TestFindingTimes(t *testing.T) {
	seen := func(k schema.Kind) *schema.Event { return probed(k, schema.Data{FindingID: "t:1", TargetID: "t"}) }
	detected, fixed := schema.FindingDetected, schema.FindingFixed
	for name, c := range map[string]struct {
		kinds               []schema.Kind
		state               string
		detectedAt, fixedAt int // the event that says so, by its place; -1: none does
	}{
		"detected":         {[]schema.Kind{detected}, Detected, 0, -1},
		"detected twice":   {[]schema.Kind{detected, detected}, Detected, 0, -1},
		"fixed":            {[]schema.Kind{detected, fixed}, Fixed, 0, 1},
		"fixed twice":      {[]schema.Kind{detected, fixed, fixed}, Fixed, 0, 1},
		"back":             {[]schema.Kind{detected, fixed, detected}, Detected, 2, -1},
		"fixed, unheard":   {[]schema.Kind{fixed}, Fixed, -1, 0},
		"overtaken":        {[]schema.Kind{fixed, detected}, Detected, 1, -1},
		"of no known kind": {[]schema.Kind{detected, "finding.accepted"}, Detected, 0, -1},
	} {
		var events []*schema.Event
		for _, kind := range c.kinds {
			events = append(events, seen(kind))
		}
		f := history(Finding.Fold, events)
		at := func(i int) *schema.Time {
			if i < 0 {
				return nil
			}
			t := schema.At(began.Add(time.Duration(i) * time.Minute))
			return &t
		}
		if f.State != c.state || !reflect.DeepEqual(f.DetectedAt, at(c.detectedAt)) || !reflect.DeepEqual(f.FixedAt,
			at(c.fixedAt)) || f.TargetID != "t" {
			t.Errorf("%s: %s, detected at %v, fixed at %v; want %s, event %d, event %d", name, f.State, f.DetectedAt,
				f.FixedAt, c.state, c.detectedAt, c.fixedAt)
		}
	}
}

// TestHostOfAFinding: its own address says where it is, and its target's host where it has none.
func TestHostOfAFinding(t *testing.T) {
	at := func(host, target string) *schema.Event {
		return probed(schema.FindingDetected, schema.Data{FindingID: "t:1", Finding: &schema.Finding{Host: host},
			Target: &schema.Target{Host: target}})
	}
	for want, events := range map[string][]*schema.Event{
		"a.example": {at("a.example", "b.example")}, "b.example": {at("", "b.example")}, "c.example": {at("", "b.example"),
			at("c.example", "")}, "": {at("", "")},
	} {
		if got := history(Finding.Fold, events).About.Host; got != want {
			t.Errorf("it is on %q, want %q", got, want)
		}
	}
}

// TestUnreadablePartsAreTold: a row says all that could not be read of its last event, and nothing of those before.
func TestUnreadablePartsAreTold(t *testing.T) {
	bad := func(kind schema.Kind) *schema.Event {
		return probed(kind, schema.Data{TargetID: "t", ScanID: "s", FindingID: "t:1",
			Unreadable: []schema.Unreadable{{Part: "started", Reason: "no time"}, {Part: "host", Reason: "no name"}}})
	}
	good := func(kind schema.Kind) *schema.Event {
		return probed(kind, schema.Data{TargetID: "t", ScanID: "s", FindingID: "t:1"})
	}
	const want = "started: no time; host: no name"
	for name, got := range map[string]string{
		"target":  history(Target.Fold, []*schema.Event{bad(schema.TargetCreated)}).Unreadable,
		"scan":    history(Scan.Fold, []*schema.Event{good(schema.ScanStarted), bad(schema.ScanFailed)}).Unreadable,
		"finding": history(Finding.Fold, []*schema.Event{bad(schema.FindingDetected)}).Unreadable,
	} {
		if got != want {
			t.Errorf("the %s says %q, want %q", name, got, want)
		}
	}
	if got := history(Target.Fold, []*schema.Event{bad(schema.TargetCreated),
		good(schema.TargetVerified)}).Unreadable; got != "" {
		t.Errorf("read again, the target says %q", got)
	}
}
