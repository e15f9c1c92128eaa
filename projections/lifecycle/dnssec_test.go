package lifecycle

import (
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func dsOf(tag uint16, digestType uint8) *schema.DS {
	return &schema.DS{KeyTag: tag, Algorithm: 13, DigestType: digestType, Digest: strings.Repeat("ab", 32)}
}

// TestListedDSFillsARotation: what the provider's API lists names the new DS of a rotation that came without, where it
// leaves no doubt, and changes no other.
func TestListedDSFillsARotation(t *testing.T) {
	old, fresh, other := dsOf(1, 2), dsOf(2, 2), dsOf(3, 2)
	list := func(records ...*schema.DS) (all []schema.DS) {
		for _, ds := range records {
			all = append(all, *ds)
		}
		return all
	}
	lacks := []schema.Unreadable{{Part: "ds", Reason: "the body holds no DS record"}}
	before := []*schema.Event{made(schema.DNSSECRotationStarted, schema.Data{DS: old}), made(schema.DNSSECRotationCompleted, schema.Data{DS: old})}
	for name, tc := range map[string]struct {
		before []*schema.Event
		start  schema.Data
		answer schema.Data
		want   *schema.DS
		unread bool // the row says that a DS could not be read
	}{
		"the only one":              {nil, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(fresh)}, fresh, false},
		"beside the old":            {before, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(old, fresh)}, fresh, false},
		"by two digests":            {before, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(fresh, dsOf(2, 1), old, dsOf(1, 1))}, fresh, false},
		"the newest of several":     {nil, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(other, fresh), DS: fresh}, fresh, false},
		"several, undated":          {nil, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(other, fresh)}, nil, true},
		"the old only":              {before, schema.Data{Unreadable: lacks}, schema.Data{DSRecords: list(old), DS: old}, nil, true},
		"one that came along stays": {before, schema.Data{DS: fresh}, schema.Data{DSRecords: list(other), DS: other}, fresh, false},
		"what was doubted is seen":  {before, schema.Data{DS: fresh, Unreadable: lacks}, schema.Data{DSRecords: list(fresh, old)}, fresh, false},
	} {
		for _, kind := range []schema.Kind{schema.DNSSECRotationStarted, schema.DNSSECRotationCompleted} {
			if kind == schema.DNSSECRotationCompleted && name == "the old only" {
				continue // it is the end of the rotation before, told twice
			}
			tc.answer.Domain = "example.test"
			events := append(append([]*schema.Event{}, tc.before...), made(schema.DNSSECRotationStarted, tc.start))
			if kind == schema.DNSSECRotationCompleted {
				events = append(events, made(kind, tc.start))
			}
			was := history(DNSSEC.Fold, events)
			got := history(DNSSEC.Fold, append(events, made(schema.DNSSECDescribed, tc.answer)))
			if got.DS != tc.want && !SameDS(got.DS, tc.want) || got.Domain != "example.test" || (got.Unreadable != "") != tc.unread {
				t.Errorf("%s, %s: got %+v (%q)", name, kind, got.DS, got.Unreadable)
			}
			if got.Phase != was.Phase || got.NextStep != was.NextStep || got.PreviousDS != was.PreviousDS && !SameDS(got.PreviousDS, was.PreviousDS) {
				t.Errorf("%s, %s: from %+v to %+v", name, kind, was, got)
			}
		}
	}
	if got := history(DNSSEC.Fold, []*schema.Event{made(schema.DNSSECDescribed, schema.Data{DSRecords: list(fresh)})}); got.DS != nil || got.Phase != "" {
		t.Errorf("of no rotation: %+v", got)
	}
}
