package lifecycle

import (
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Where a rotation stands.
const (
	RotationStarted   = "rotation_started"
	RotationOverdue   = "rotation_overdue"
	RotationCompleted = "rotation_completed"
)

// What a person should do next about a rotation: OpenDNSSEC's words for what the DS records at the parent wait for.
const (
	StepDSSubmit  = "ds-submit"  // publish the new DS at the parent, beside the old
	StepDSRetract = "ds-retract" // take the old DS out of the parent
)

// DNSSEC holds the life of one zone's key rotations. A DS that is not the present one begins a new cycle.
type DNSSEC struct {
	Life
	Domain      string
	Phase       string // RotationStarted or RotationCompleted
	NextStep    string
	DS          *schema.DS
	PreviousDS  *schema.DS
	StartedAt   *schema.Time
	CompletedAt *schema.Time
}

// Fold returns r after the event at seq.
func (r DNSSEC) Fold(seq uint64, e *schema.Event) DNSSEC {
	if ignored(e) {
		return r
	}
	if decides(e) {
		r.Life = r.Life.decided(seq, e)
		return r
	}
	r.Life = r.Life.next(seq, e)
	d := &e.Data
	if d.Domain != "" {
		r.Domain = d.Domain
	}
	switch e.Kind() {
	case schema.DNSSECRotationStarted:
		r = r.started(e)
		r.Life = r.Life.read("ds", d.DS != nil, d)
	case schema.DNSSECRotationCompleted:
		r = r.completed(e)
		r.Life = r.Life.read("ds", d.DS != nil, d)
	case schema.DNSSECDescribed:
		r = r.described(d)
	case schema.DNSSECDSSeen:
		if r.NextStep == StepDSSubmit && about(d.DS, r.DS) {
			r.NextStep = ""
		}
	case schema.DNSSECDSGone:
		if r.NextStep == StepDSRetract && about(d.DS, r.PreviousDS) {
			r.NextStep = ""
		}
	}
	return r
}

// started opens a rotation, unless it is a late or repeated word of the one that is known.
func (r DNSSEC) started(e *schema.Event) DNSSEC {
	at := e.OccurredAt()
	ds := e.Data.DS
	if known := ds != nil && SameDS(ds, r.DS) || ds == nil && r.Phase == RotationStarted; known {
		if r.StartedAt == nil {
			r.StartedAt = &at
		}
		return r
	}
	r = r.turned(ds)
	r.Phase, r.NextStep = RotationStarted, StepDSSubmit
	r.StartedAt, r.CompletedAt = &at, nil
	return r
}

// completed closes the rotation. The old DS stays at the parent until a person takes it out.
func (r DNSSEC) completed(e *schema.Event) DNSSEC {
	at := e.OccurredAt()
	ds := e.Data.DS
	if ds != nil && !SameDS(ds, r.DS) { // its start was not heard of
		r = r.turned(ds)
		r.StartedAt = nil
	} else if r.Phase == RotationCompleted {
		return r
	}
	r.Phase, r.NextStep, r.CompletedAt = RotationCompleted, StepDSRetract, &at
	return r
}

// turned puts ds in place of the present DS, which becomes the old one. A ds that could not be read leaves the new DS
// unknown.
func (r DNSSEC) turned(ds *schema.DS) DNSSEC {
	if r.DS != nil {
		r.PreviousDS = r.DS
	}
	r.DS = ds
	return r
}

// described takes in the zone's DS records as the provider's API lists them. It fills in the new DS if that is not
// known, as newOf picks it from the list; one that is known stays.
func (r DNSSEC) described(d *schema.Data) DNSSEC {
	if r.Phase == "" {
		return r
	}
	if r.DS == nil {
		r.DS = newOf(d, r.PreviousDS)
	}
	listed := slices.ContainsFunc(d.DSRecords, func(ds schema.DS) bool { return SameDS(&ds, r.DS) })
	r.Life = r.Life.read("ds", listed, d)
	return r
}

// newOf picks the record of the zone's new key: the one that d prefers, or else the first that it lists, which is not
// of the old record's key. It returns nil where there is none, or where the list has records of several such keys, and
// so does not tell which is the newest.
func newOf(d *schema.Data, old *schema.DS) *schema.DS {
	if d.DS != nil && !sameKey(d.DS, old) {
		return d.DS
	}
	var one *schema.DS
	for i := range d.DSRecords {
		switch ds := &d.DSRecords[i]; {
		case sameKey(ds, old):
		case one == nil:
			one = ds
		case !sameKey(ds, one):
			return nil
		}
	}
	return one
}

// sameKey reports whether two DS records are of one key, maybe by another digest.
func sameKey(a, b *schema.DS) bool {
	return a != nil && b != nil && a.KeyTag == b.KeyTag && a.Algorithm == b.Algorithm
}

// about reports whether an observation at the parent, of ds or of no record in particular (nil), is about the record
// known, and not one of an earlier rotation.
func about(ds, known *schema.DS) bool { return ds == nil || SameDS(ds, known) }

// SameDS reports whether two DS records are the same record.
func SameDS(a, b *schema.DS) bool {
	return a != nil && b != nil && a.KeyTag == b.KeyTag && a.Algorithm == b.Algorithm && a.DigestType == b.DigestType && strings.EqualFold(a.Digest, b.Digest)
}
