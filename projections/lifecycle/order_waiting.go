package lifecycle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Waiting names one thing of an order that waits for a person: a kind of matter, of one occurrence.
type Waiting struct {
	Kind  string
	Check string // the check's name; empty: it is not about a check
	Since schema.Time
}

// Waiting lists what waits for a person, the longest waiting first; nothing once the order has come to its end.
func (o Order) Waiting() []Waiting {
	switch o.Phase {
	case Rejected, Canceled, Revoked:
		return nil
	}
	var list []Waiting
	for name, state := range o.Checks {
		if kind := checkKind(name, state); kind != "" {
			list = append(list, Waiting{kind, name, o.ChecksSince[name]})
		}
	}
	if o.MessageAt != nil {
		list = append(list, Waiting{Kind: schema.MatterMessage, Since: *o.MessageAt})
	}
	if o.state() == ReissueReady {
		list = append(list, Waiting{Kind: schema.MatterReissue, Since: o.StateSince})
	}
	slices.SortFunc(list, func(a, b Waiting) int {
		return cmp.Or(a.Since.Compare(b.Since.Time), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Check, b.Check))
	})
	return list
}

// WaitingSince returns since when the order has waited for a person, as text; empty where it does not.
func (o Order) WaitingSince() string {
	if list := o.Waiting(); len(list) > 0 {
		return list[0].Since.String()
	}
	return ""
}

// checkKind returns the kind of matter that a check in that state makes; "" where it waits for nobody.
func checkKind(name string, state schema.CheckState) string {
	switch {
	case state == schema.CheckFailed:
		return schema.MatterCheckFailed
	case state == schema.CheckDelayed:
		return schema.MatterCheckDelayed
	case state == schema.CheckPending && name == schema.CheckApproval:
		return schema.MatterApproval
	}
	return ""
}

// decided returns o after a person's decision about a matter of it. An acknowledged one is cleared, if it is the
// occurrence that waits still: a check that failed or is delayed waits for the CA again, and a message is answered. An
// approval or a reissue is not done by acknowledging it.
func (o Order) decided(seq uint64, e *schema.Event) Order {
	o.Life = o.Life.decided(seq, e)
	m := e.Data.Matter
	if e.Kind() != schema.AttentionAcknowledged || m == nil {
		return o
	}
	for _, w := range o.Waiting() {
		if schema.MatterID(w.Kind, e.Data.Provider, e.Data.OrderID, w.Check, w.Since) == m.ID {
			return o.cleared(w)
		}
	}
	return o
}

func (o Order) cleared(w Waiting) Order {
	switch w.Kind {
	case schema.MatterMessage:
		o.MessageAt = nil
	case schema.MatterCheckFailed, schema.MatterCheckDelayed:
		o.Checks, o.Reasons = writable(o.Checks), writable(o.Reasons)
		o.Checks[w.Check] = schema.CheckPending
		delete(o.Reasons, w.Check)
		if w.Check == schema.CheckApproval { // pending, it would wait for a person again
			o.ChecksSince = writable(o.ChecksSince)
			delete(o.Checks, w.Check)
			delete(o.ChecksSince, w.Check)
		}
	}
	return o
}
