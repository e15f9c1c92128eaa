package lifecycle

import (
	"time"

	"github.com/certtrail/certtrail/schema"
)

// What a person decided about a matter: the names of the events.
const (
	Acknowledged = "acknowledged" // it is seen to: this occurrence is no matter any more
	Snoozed      = "snoozed"
	Taken        = "taken"
	Reopened     = "reopened"
)

// Decision holds the life of one matter as far as people decided about it: the last decision stands.
type Decision struct {
	Life
	Matter schema.Matter // with what was decided last; its until and note are those of it
	Row    string        // the row that it concerns; empty: none
	State  string        // Acknowledged, Snoozed, Taken or Reopened
	By     string        // who, if they said so; schema.Forgotten if their key was destroyed
}

// Fold returns d after the event at seq.
func (d Decision) Fold(seq uint64, e *schema.Event) Decision {
	if ignored(e) || e.Data.Matter == nil {
		return d
	}
	d.Life = d.Life.next(seq, e)
	d.Matter, d.State, d.By = *e.Data.Matter, e.Kind().Name(), ""
	if row := e.Data.RowID(d.Matter.Kind); row != nil {
		d.Row = *row
	}
	if u := e.Data.User; u != nil {
		d.By = schema.Forgotten
		if u.Person != nil {
			d.By = u.Person.Name
		}
	}
	return d
}

// Standing returns the decision that holds at now; empty where the matter is open.
func (d Decision) Standing(now time.Time) string {
	over := d.Matter.Until != nil && !now.Before(d.Matter.Until.Time)
	switch d.State {
	case Acknowledged, Taken:
		if !over {
			return d.State
		}
	case Snoozed:
		if d.Matter.Until != nil && !over { // or else until when, nobody knows
			return d.State
		}
	}
	return ""
}

// decided counts a decision about a matter of the row; one about a row without any other event makes no row.
func (l Life) decided(seq uint64, e *schema.Event) Life {
	if l.EventCount == 0 {
		return l
	}
	return l.next(seq, e)
}

// decides reports whether e is what a person decided about a matter. It changes the state of no row but the matter's
// own, and an order's.
func decides(e *schema.Event) bool { return e.Kind().Aggregate() == schema.AggregateAttention }

// attentionRows returns the matter's row and the row that the matter concerns.
func attentionRows(d *schema.Data) ([]Row, error) {
	if d.Matter == nil {
		return one(Attention, "", "which matter it is about")
	}
	rows, err := one(Attention, d.Matter.ID, "which matter it is about")
	if id := d.RowID(d.Matter.Kind); err == nil && id != nil && *id != "" {
		rows = append(rows, Row{MatterModel(d.Matter.Kind), *id})
	}
	return rows, err
}

// MatterModel returns the read model of the rows that matters of that kind concern; empty: none.
func MatterModel(kind string) string {
	var d schema.Data
	switch d.RowID(kind) {
	case &d.OrderID:
		return Orders
	case &d.CertificateID:
		return Certificates
	case &d.Domain:
		return Domains
	case &d.OrganizationID:
		return Organizations
	case &d.WebsiteID:
		return DNSSECs
	case &d.TargetID:
		return Targets
	case &d.FindingID:
		return Findings
	}
	return ""
}
