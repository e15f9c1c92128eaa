package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
)

// bare returns the questions about the orders of a source that are known by little more than a number (the certificate
// of those that are issued, all of those that are open), and about the rotations without their DS record or zone. What
// was rejected, canceled or revoked is over, and not asked about.
func (k *asking) bare(ctx context.Context, name string) ([]ask.Question, error) {
	client := k.apis[name].Client
	_, describes := client.(ask.Describer)
	_, collects := client.(ask.Collector)
	held := map[string]bool{} // certificates
	err := each(ctx, k.o.Store, projections.Certificates, projections.Query{Provider: name, Now: k.now()}, func(c *projections.Certificate) bool {
		if c.FingerprintSHA256 != "" {
			held[c.ID] = true
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var list []ask.Question
	err = each(ctx, k.o.Store, projections.Orders, projections.Query{Provider: name, Now: k.now()}, func(o *projections.Order) bool {
		switch issued := o.State == provider.StandingIssued || o.State == provider.StandingReissue; {
		case issued && collects && !held[o.CertificateID]:
			list = append(list, ask.Question{What: ask.Collect, Provider: name, OrderID: o.ID, CertificateID: o.CertificateID})
		case !issued && describes && o.CommonName == "" && (o.State == provider.StandingPending || o.State == ask.ActionRequired):
			list = append(list, ask.Question{What: ask.Describe, Provider: name, OrderID: o.ID})
		}
		return true
	})
	if _, lists := client.(ask.DSLister); lists {
		err = errors.Join(err, each(ctx, k.o.Store, projections.DNSSECs, projections.Query{Provider: name, Now: k.now()}, func(r *projections.DNSSEC) bool {
			if r.DS == nil || r.Domain == "" {
				list = append(list, ask.Question{What: ask.ListDS, Provider: name, WebsiteID: r.WebsiteID})
			}
			return true
		}))
	}
	return list, err
}

// describe asks about all that is bare of a source, because a person wants it: what is appended is marked as what a first reconcile finds, so that nothing
// outside acts on it. It goes at the pace of the API's rate, and ends where the API is away; what was answered by then is not asked again.
func (k *asking) describe(ctx context.Context, name string, far func(Described) error) (Described, error) {
	if !k.describing.TryLock() {
		return Described{}, errors.New("a provider is being asked about what is bare already: wait until that has ended")
	}
	defer k.describing.Unlock()
	list, err := k.bare(ctx, name)
	d := Described{What: "order", Of: len(list)}
	if _, orders := k.apis[name].Client.(ask.Lister); !orders {
		d.What = "rotation"
	}
	for _, q := range list {
		if err := far(d); err != nil {
			return d, err
		}
		answer, _, err := q.Ask(ctx, k.apis[name].Client)
		var away *ask.Unavailable
		if err != nil && (ctx.Err() != nil || errors.As(err, &away)) {
			return d, fmt.Errorf("of %s %d were asked about, and told of %d; run it again to go on: %w", text.Counted(d.Of, d.What), d.Asked, d.Filled, err)
		}
		d.Asked++
		if err == nil && answer.Kind != "" {
			if err := k.appendFound(ctx, name, answer); err != nil {
				return d, err
			}
			d.Filled++
		} else if err != nil && d.Refusal == "" {
			d.Refusal = err.Error()
		}
	}
	return d, errors.Join(err, k.modelsNow(ctx))
}

// appendFound appends an answer as what a first reconcile finds.
func (k *asking) appendFound(ctx context.Context, name string, answer provider.Answer) error {
	id, err := newID()
	if err != nil {
		return err
	}
	e := ask.Event(id, name, k.now(), answer, k.apis[name].secrets)
	e.Imported = ask.FoundFirst
	_, err = k.o.log.Append(ctx, e)
	return err
}
