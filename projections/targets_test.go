package projections

import (
	"context"
	"fmt"
	"testing"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

func TestTargetsOfADomain(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(kind schema.Kind, d schema.Data) {
		n++
		d.Provider, d.Event, d.Decoder = "probely", kind.Name(), "probely/1"
		l.append(schema.New(fmt.Sprintf("probely:%d", n), "/hooks/probely", schema.At(began), kind, d))
	}
	shop := &schema.Target{Name: "Shop", Host: "shop.example"}
	say(schema.TargetCreated, schema.Data{TargetID: "t1", Target: shop})
	say(schema.TargetVerified, schema.Data{TargetID: "t1", Target: shop})
	say(schema.TargetCreated, schema.Data{TargetID: "t2", Target: &schema.Target{Host: "other.example"}})
	say(schema.ScanStarted, schema.Data{ScanID: "s1", TargetID: "t1", Target: shop})
	say(schema.ScanCompleted, schema.Data{ScanID: "s1", TargetID: "t1", Target: shop})
	finding := func(target string, number int, name, host string) schema.Data {
		return schema.Data{TargetID: target, FindingID: schema.FindingID(target, fmt.Sprint(number)), Finding: &schema.Finding{Name: name, Host: host, Severity: 30}}
	}
	say(schema.FindingDetected, finding("t1", 1, "Expired TLS certificate", "shop.example"))
	say(schema.FindingDetected, finding("t1", 2, "SQL injection", "shop.example"))
	say(schema.FindingDetected, finding("t1", 3, "Weak cipher", ""))
	say(schema.FindingDetected, finding("t1", 4, "Weak cipher", "elsewhere.example"))
	say(schema.FindingDetected, finding("t2", 1, "Missing HSTS", "other.example"))
	say(schema.FindingFixed, finding("t1", 1, "Expired TLS certificate", "shop.example"))
	l.append(schema.New("probely:1", "/hooks/probely", schema.At(began), schema.TargetDeleted, schema.Data{Provider: "probely", TargetID: "t1"})) // a known id again
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)

	targetsAt(t, s, uint64(n))
	targetRows(t, s)
	targetsFound(t, s)
}

// targetsAt asks for the domain now, as of seq, the last event, and as of the first.
func targetsAt(t *testing.T, s *Store, seq uint64) {
	t.Helper()
	ctx := context.Background()
	for _, at := range []Moment{{Now: began}, {Seq: seq, Now: began}} {
		d, err := s.DomainAt(ctx, "Shop.Example", at)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range d.Findings {
			ids = append(ids, f.ID+" "+f.State)
		}
		want := "[t1:1 fixed t1:3 detected]"
		if at.Seq > 0 {
			want = "[t1:1 fixed]" // the other says only of which target it is
		}
		if len(d.Targets) != 1 || d.Targets[0].State != lifecycle.Verified || fmt.Sprint(ids) != want {
			t.Errorf("%+v: targets %+v, findings %v, want %s", at, d.Targets, ids, want)
		}
	}
	if d, err := s.DomainAt(ctx, "shop.example", Moment{Seq: 1}); err != nil || len(d.Findings) != 0 || d.Targets[0].State != lifecycle.TargetCreated {
		t.Errorf("as of the first event: %+v (%v)", d, err)
	}
}

// targetRows reads a target, a scan and a finding by their keys.
func targetRows(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	target, err := One(ctx, s, Targets, "probely", "t1", Moment{Now: began})
	if err != nil || target.State != lifecycle.Verified || len(target.Timeline) != 2 {
		t.Errorf("the target is %+v (%v)", target, err)
	}
	scan, err := One(ctx, s, Scans, "probely", "s1", Moment{Now: began})
	if err != nil || scan.State != lifecycle.Completed || scan.Host != "shop.example" || len(scan.Timeline) != 2 {
		t.Errorf("the scan is %+v (%v)", scan, err)
	}
	one, err := One(ctx, s, Findings, "probely", "t1:1", Moment{Now: began})
	if err != nil || one.State != lifecycle.Fixed || !one.TLS || one.Severity != 30 {
		t.Errorf("the finding is %+v (%v)", one, err)
	}
}

// targetsFound searches and sorts them.
func targetsFound(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	for model, want := range map[string]map[string]int{
		lifecycle.Targets:  {"": 2, "example": 2, "shop.example": 1, "t2": 1},
		lifecycle.Scans:    {"": 1, "t1": 1, "t2": 0},
		lifecycle.Findings: {"": 5, "t1": 4, "t1:2": 1, "shop.example": 2, "Missing HSTS": 1},
	} {
		for q, n := range want {
			if got, err := s.Count(ctx, model, Query{Q: q, Now: began}); err != nil || got != n {
				t.Errorf("%s: %q finds %d (%v), want %d", model, q, got, err, n)
			}
		}
	}
	for _, sort := range []string{"-severity", "name", "detected_at"} {
		if found, _, err := List(ctx, s, Findings, Query{Sort: sort, State: lifecycle.Detected, Now: began}); err != nil || len(found) != 4 {
			t.Errorf("by %s: %d findings (%v)", sort, len(found), err)
		}
	}
}
