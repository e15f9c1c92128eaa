package rules

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// RotationMost bounds how long a rotation of keys may wait for its end before it is overdue.
const RotationMost = 7 * Day

// Overdue returns when a rotation becomes overdue; nil where none is under way.
func Overdue(phase string, started *schema.Time) *schema.Time {
	if phase != lifecycle.RotationStarted || started == nil {
		return nil
	}
	t := schema.At(started.Add(RotationMost))
	return &t
}

// RotationState returns where a rotation stands at now.
func RotationState(r lifecycle.DNSSEC, now time.Time) string {
	if overdue := Overdue(r.Phase, r.StartedAt); overdue != nil && !now.Before(overdue.Time) {
		return lifecycle.RotationOverdue
	}
	return r.Phase
}

// Uncollected reports whether an order has been issued though nobody knows when its certificate ends; phase and
// notAfter are the certificate's, empty and nil where it is not known.
func Uncollected(orderState, phase string, notAfter *schema.Time) bool {
	issued := orderState == lifecycle.Issued || orderState == lifecycle.ReissueReady
	return issued && notAfter == nil && (phase == "" || phase == lifecycle.Issued)
}
