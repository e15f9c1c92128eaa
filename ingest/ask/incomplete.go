package ask

import (
	"context"
	"errors"
	"fmt"

	"github.com/certtrail/certtrail/ingest/provider"
)

// incomplete returns the questions about the orders of a source that are known by number only (the certificate of those
// that are issued, all of those that are open), and about the rotations without their DS record or zone. What was
// rejected, canceled or revoked is over, and not asked about.
func (a *Asker) incomplete(ctx context.Context, name string) ([]Question, error) {
	client := a.sources[name].Client
	_, describes := client.(Describer)
	_, collects := client.(Collector)
	held := map[string]bool{} // certificates
	err := a.Known.Each(ctx, Selection{Model: Certificates, Source: name, Now: a.Now()}, func(c Row) bool {
		if c.Collected {
			held[c.ID] = true
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var list []Question
	err = a.Known.Each(ctx, Selection{Model: Orders, Source: name, Now: a.Now()}, func(o Row) bool {
		switch issued := o.State == provider.StandingIssued || o.State == provider.StandingReissue; {
		case issued && collects && !held[o.CertificateID]:
			list = append(list, Question{What: Collect, Provider: name, OrderID: o.ID, CertificateID: o.CertificateID})
		case !issued && describes && o.CommonName == "" && (o.State == provider.StandingPending || o.State == ActionRequired):
			list = append(list, Question{What: Describe, Provider: name, OrderID: o.ID})
		}
		return true
	})
	if _, lists := client.(DSLister); lists {
		err = errors.Join(err, a.Known.Each(ctx, Selection{Model: Rotations, Source: name, Now: a.Now()}, func(r Row) bool {
			if r.DS == nil || r.Domain == "" {
				list = append(list, Question{What: ListDS, Provider: name, WebsiteID: r.ID})
			}
			return true
		}))
	}
	return list, err
}

// Describe asks about all that is incomplete of a source, because a person wants it: what is appended is marked as what
// a first reconcile finds, so that nothing outside acts on it. It goes at the pace of the API's rate, and ends where
// the API is away; what was answered by then is not asked again.
func (a *Asker) Describe(ctx context.Context, name string, progress func(Described) error) (Described, error) {
	if !a.describes.TryLock() {
		return Described{}, errors.New("another --describe is running; wait for it to finish")
	}
	defer a.describes.Unlock()
	list, err := a.incomplete(ctx, name)
	d := Described{What: "order", Of: len(list)}
	if _, orders := a.sources[name].Client.(Lister); !orders {
		d.What = "rotation"
	}
	for _, q := range list {
		if err := progress(d); err != nil {
			return d, err
		}
		answer, _, err := q.Ask(ctx, a.sources[name].Client)
		var away *Unavailable
		if err != nil && (ctx.Err() != nil || errors.As(err, &away)) {
			return d, fmt.Errorf("of %s %d were asked about, and told of %d; run it again to go on: %w",
				plural(d.Of, d.What), d.Asked, d.Filled, err)
		}
		d.Asked++
		if err == nil && answer.Kind != "" {
			if err := a.appendFound(ctx, name, answer); err != nil {
				return d, err
			}
			d.Filled++
		} else if err != nil && d.Refusal == "" {
			d.Refusal = err.Error()
		}
	}
	return d, errors.Join(err, a.CatchUp(ctx))
}

// appendFound appends an answer as what a first reconcile finds.
func (a *Asker) appendFound(ctx context.Context, name string, answer provider.Answer) error {
	id, err := a.NewID()
	if err != nil {
		return err
	}
	e := Event(id, name, a.Now(), answer, a.sources[name].Secrets)
	e.Imported = FoundFirst
	_, err = a.Log.Append(ctx, e)
	return err
}
