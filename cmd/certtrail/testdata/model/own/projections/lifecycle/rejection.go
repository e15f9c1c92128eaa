package lifecycle

import (
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Rejections is the read model of orders that a CA rejected.
const Rejections = "rejections"

// Rejection is how often a CA rejected one order, and why.
type Rejection struct {
	Life
	State  string // Rejected
	Times  int
	Reason string
}

// Fold returns r after the event at seq.
func (r Rejection) Fold(seq uint64, e *schema.Event) Rejection {
	if ignored(e) {
		return r
	}
	r.Life = r.Life.next(seq, e)
	r.State = Rejected
	r.Times++
	if e.Data.Reason != "" {
		r.Reason = e.Data.Reason
	}
	return r
}

// Changes returns what differs in after from r.
func (r Rejection) Changes(after Rejection, _ time.Time) []Changed {
	var c changes
	c.text("state", r.State, after.State)
	c.text("reason", r.Reason, after.Reason)
	return c
}
