package ask

import (
	"context"
	"errors"
	"fmt"

	"github.com/certtrail/certtrail/ingest/provider"
)

// bare are the questions about the orders of a source of which little more than the number is known: the certificate of those that are issued, all of
// those that are open; and about the rotations without their DS record or zone. What was rejected, canceled or revoked is over, and not asked about.
func (k *Asker) bare(ctx context.Context, name string) ([]Question, error) {
	client := k.sources[name].Client
	_, describes := client.(Describer)
	_, collects := client.(Collector)
	held := map[string]bool{} // certificates
	err := k.Known.Each(ctx, Selection{Model: Certificates, Source: name, Now: k.Now()}, func(c Row) bool {
		if c.Collected {
			held[c.ID] = true
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var list []Question
	err = k.Known.Each(ctx, Selection{Model: Orders, Source: name, Now: k.Now()}, func(o Row) bool {
		switch issued := o.State == provider.StandingIssued || o.State == provider.StandingReissue; {
		case issued && collects && !held[o.CertificateID]:
			list = append(list, Question{What: Collect, Provider: name, OrderID: o.ID, CertificateID: o.CertificateID})
		case !issued && describes && o.CommonName == "" && (o.State == provider.StandingPending || o.State == ActionRequired):
			list = append(list, Question{What: Describe, Provider: name, OrderID: o.ID})
		}
		return true
	})
	if _, lists := client.(DSLister); lists {
		err = errors.Join(err, k.Known.Each(ctx, Selection{Model: Rotations, Source: name, Now: k.Now()}, func(r Row) bool {
			if r.DS == nil || r.Domain == "" {
				list = append(list, Question{What: ListDS, Provider: name, WebsiteID: r.ID})
			}
			return true
		}))
	}
	return list, err
}

// Describe asks about all that is bare of a source, because a person wants it: what is appended is marked as what a first reconcile finds, so that nothing
// outside acts on it. It goes at the pace of the API's rate, and ends where the API is away; what was answered by then is not asked again.
func (k *Asker) Describe(ctx context.Context, name string, far func(Described) error) (Described, error) {
	if !k.describing.TryLock() {
		return Described{}, errors.New("a provider is being asked about what is bare already: wait until that has ended")
	}
	defer k.describing.Unlock()
	list, err := k.bare(ctx, name)
	d := Described{What: "order", Of: len(list)}
	if _, orders := k.sources[name].Client.(Lister); !orders {
		d.What = "rotation"
	}
	for _, q := range list {
		if err := far(d); err != nil {
			return d, err
		}
		answer, _, err := q.Ask(ctx, k.sources[name].Client)
		var away *Unavailable
		if err != nil && (ctx.Err() != nil || errors.As(err, &away)) {
			return d, fmt.Errorf("of %s %d were asked about, and told of %d; run it again to go on: %w", plural(d.Of, d.What), d.Asked, d.Filled, err)
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
	return d, errors.Join(err, k.CatchUp(ctx))
}

// appendFound appends an answer as what a first reconcile finds.
func (k *Asker) appendFound(ctx context.Context, name string, answer provider.Answer) error {
	id, err := k.NewID()
	if err != nil {
		return err
	}
	e := Event(id, name, k.Now(), answer, k.sources[name].Secrets)
	e.Imported = FoundFirst
	_, err = k.Log.Append(ctx, e)
	return err
}
