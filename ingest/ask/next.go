package ask

import (
	"context"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// What a Question asks for.
const (
	Describe = "describe" // all that the provider says of an order
	Collect  = "collect"  // a certificate
)

// Question is what to ask a provider after an event.
type Question struct {
	What          string // Describe or Collect
	Provider      string // the source's name
	OrderID       string
	CertificateID string // of what to collect; "" for the order's present one
}

// Next is what to ask after e; false for nothing. A delivery says what changed, so the whole order is asked for; of an issued order the certificate,
// unless it came along. Nothing is asked after answers, after the clock's notices, and after what was imported or found by a first reconcile.
func Next(e *schema.Event) (Question, bool) {
	if e.Imported != "" || e.Source == schema.ClockSource || !strings.HasPrefix(e.Source, "/hooks/") && e.Data.Decoder != reconcileDecoder || e.Data.OrderID == "" {
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

// Ask asks the provider's client, which is a Describer, a Collector or both; false if it is not the one that is needed.
func (q Question) Ask(ctx context.Context, client any) (schema.Answer, bool, error) {
	if q.What == Collect {
		collector, ok := client.(Collector)
		if !ok {
			return schema.Answer{}, false, nil
		}
		answer, err := collector.Collect(ctx, q.OrderID, q.CertificateID)
		return answer, true, err
	}
	describer, ok := client.(Describer)
	if !ok {
		return schema.Answer{}, false, nil
	}
	_, answer, err := describer.Describe(ctx, q.OrderID)
	return answer, true, err
}
