package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

const (
	delegationSoon = 10 * time.Minute // between two looks at the parent of a zone whose rotation waits for it
	delegationRare = 6 * time.Hour    // and of any other zone that ever rotated its keys
	delegationAsks = time.Minute      // for one zone
)

// delegations keeps in memory what parent zones said of the zones below: a page shows it, and nothing is decided by it.
type delegations struct {
	dns *ask.DNS

	mu   sync.Mutex
	seen map[string]delegation // by source and website
}

// delegation holds what the parent of one zone said last.
type delegation struct {
	at       time.Time
	row      uint64 // the row's last event when it was asked
	sighting ask.Sighting
	err      error // why it could not be asked
}

// newDelegations asks through the resolver; nil where there is none to ask.
func newDelegations(resolver string, logger *slog.Logger) (*delegations, error) {
	if resolver == settings.ResolverOff {
		return nil, nil
	}
	d, err := ask.NewDNS(resolver)
	if err != nil && resolver == "" {
		logger.Info("name servers are not asked for DS records", "reason", err)
		return nil, nil
	}
	return &delegations{dns: d, seen: map[string]delegation{}}, err
}

// of returns what was said last about a website's zone.
func (d *delegations) of(source, website string) (delegation, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.seen[source+"/"+website]
	return one, ok
}

// due tells whether the zone of r is to be asked about.
func (d *delegations) due(r *projections.DNSSEC, now time.Time) bool {
	if r.Domain == "" || r.DS == nil && r.PreviousDS == nil {
		return false
	}
	one, ok := d.of(r.Provider, r.WebsiteID)
	every := delegationRare
	if r.NextStep != "" {
		every = delegationSoon
	}
	return !ok || one.row != r.LastEventSeq || now.Sub(one.at) >= every
}

// watchDelegations asks the parents of all zones that rotate their keys, on a schedule and whenever something is heard of a rotation.
func (k *asking) watchDelegations(ctx context.Context) {
	news := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		_ = k.o.Store.Live(ctx, 0, func(c projections.Change) error { // it ends with ctx
			if slices.ContainsFunc(c.Rows, func(r projections.Key) bool { return r.Model == lifecycle.DNSSECs }) {
				select {
				case news <- struct{}{}:
				default:
				}
			}
			return ctx.Err()
		})
	})
	for ctx.Err() == nil {
		if err := k.lookAtDelegations(ctx); err != nil && ctx.Err() == nil {
			k.logger.Warn("the parents of zones are asked again later", "error", err)
		}
		waiting, cancel := context.WithTimeout(ctx, clockEvery)
		select {
		case <-news:
		case <-waiting.Done():
		}
		cancel()
	}
}

// lookAtDelegations asks about the zones that are due.
func (k *asking) lookAtDelegations(ctx context.Context) error {
	if err := k.modelsNow(ctx); err != nil {
		return err
	}
	var due []projections.DNSSEC
	err := each(ctx, k.o.Store, projections.DNSSECs, projections.Query{Now: k.now()}, func(r *projections.DNSSEC) bool {
		if k.dns.due(r, k.now()) {
			due = append(due, *r)
		}
		return true
	})
	for i := range due {
		err = errors.Join(err, k.lookAt(ctx, &due[i]))
	}
	return err
}

// lookAt asks the parent of one zone, and appends that it has the new DS record, or no longer the old one, where that is waited for.
func (k *asking) lookAt(ctx context.Context, r *projections.DNSSEC) error {
	rotation := rotationOf(r)
	want, waits := rotation.Wanted()
	if !waits {
		if want = (schema.DS{}); r.DS != nil {
			want = *r.DS
		}
	}
	asking, cancel := context.WithTimeout(ctx, delegationAsks)
	defer cancel()
	sighting, err := k.dns.dns.CheckDS(asking, r.Domain, want)
	if ctx.Err() != nil {
		return nil
	}
	k.dns.mu.Lock()
	k.dns.seen[r.Provider+"/"+r.WebsiteID] = delegation{at: k.now(), row: r.LastEventSeq, sighting: sighting, err: err}
	k.dns.mu.Unlock()
	if err != nil {
		return err
	}
	kind, data, ok := rotation.Found(sighting)
	if !ok {
		return nil
	}
	id, err := newID()
	if err != nil {
		return err
	}
	_, err = k.o.log.Append(ctx, ask.FoundEvent(id, k.now(), kind, data))
	return err
}

func rotationOf(r *projections.DNSSEC) ask.Rotation {
	return ask.Rotation{Provider: r.Provider, WebsiteID: r.WebsiteID, Domain: r.Domain, NextStep: r.NextStep, DS: r.DS, PreviousDS: r.PreviousDS}
}

// delegation returns what the parent said last of the zone of r, for its page.
func (k *asking) delegation(r *projections.DNSSEC) (web.Delegation, bool) {
	if k.dns == nil {
		return web.Delegation{}, false
	}
	one, ok := k.dns.of(r.Provider, r.WebsiteID)
	if !ok {
		return web.Delegation{}, false
	}
	d := web.Delegation{At: schema.At(one.at)}
	if one.err != nil {
		d.Trouble = one.err.Error()
		return d, true
	}
	d.Said = rotationOf(r).Says(one.sighting)
	d.Refused = rotationOf(r).Refused(one.sighting, r.State == lifecycle.RotationCompleted)
	return d, true
}
