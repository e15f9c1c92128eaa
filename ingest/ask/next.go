package ask

import (
	"context"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// What a Question asks for.
const (
	Describe = "describe" // all that the provider says of an order
	Collect  = "collect"  // a certificate
	ListDS   = "list-ds"  // the DS records of a website
)

// Question says what to ask a provider after an event.
type Question struct {
	What          string // Describe, Collect or ListDS
	Provider      string // the source's name
	OrderID       string
	CertificateID string // of what to collect; "" for the order's present one
	WebsiteID     string // whose DS records to list
}

// Next returns what to ask after e; false for nothing. A delivery says what changed, so the whole order is asked for;
// of an issued order the certificate, unless it came along; of a rotation of keys the DS records, unless the new one
// and its zone came along, and could be read. Nothing is asked after answers, after the clock's notices, and after what
// was imported or found by a first reconcile.
func Next(e *schema.Event) (Question, bool) {
	if e.Imported != "" || e.Source == schema.ClockSource || !strings.HasPrefix(e.Source, "/hooks/") && e.Data.Decoder != reconcileDecoder {
		return Question{}, false
	}
	if k := e.Kind(); k == schema.DNSSECRotationStarted || k == schema.DNSSECRotationCompleted {
		if known := e.Data.DS != nil && e.Data.Domain != "" && len(e.Data.Unreadable) == 0; known || e.Data.WebsiteID == "" {
			return Question{}, false
		}
		return Question{What: ListDS, Provider: e.Data.Provider, WebsiteID: e.Data.WebsiteID}, true
	}
	if e.Data.OrderID == "" {
		return Question{}, false
	}
	q := Question{What: Describe, Provider: e.Data.Provider, OrderID: e.Data.OrderID}
	switch k := e.Kind(); {
	case k == schema.OrderIssued && (e.Data.Certificate == nil || e.Data.Certificate.PEM == ""):
		q.What, q.CertificateID = Collect, e.Data.CertificateID
	case k == schema.OrderIssued, k == schema.OrderRejected, k == schema.OrderCanceled:
		return Question{}, false
	case k == schema.OrderDescribed && e.Data.Decoder != reconcileDecoder:
		return Question{}, false
	case k.Aggregate() != schema.AggregateOrder && k != schema.DomainValidated:
		return Question{}, false
	}
	return q, true
}

// Ask asks the provider's client, which is a Describer, a Collector, a DSLister or several of them; false if it is not
// the one that is needed.
func (q Question) Ask(ctx context.Context, client any) (answer provider.Answer, able bool, err error) {
	switch q.What {
	case Collect:
		var c Collector
		if c, able = client.(Collector); able {
			answer, err = c.Collect(ctx, q.OrderID, q.CertificateID)
		}
	case ListDS:
		var l DSLister
		if l, able = client.(DSLister); able {
			answer, err = l.ListDS(ctx, q.WebsiteID)
		}
	default:
		var d Describer
		if d, able = client.(Describer); able {
			_, answer, err = d.Describe(ctx, q.OrderID)
		}
	}
	return answer, able, err
}

// Answers tells whether a client can be asked any question.
func Answers(client any) bool {
	switch client.(type) {
	case Describer, Collector, DSLister:
		return true
	}
	return false
}
