package ask

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
)

const (
	delegationSoon = 10 * time.Minute // between two looks at the parent of a zone whose rotation waits for it
	delegationRare = 6 * time.Hour    // and of any other zone that ever rotated its keys
	delegationAsks = time.Minute      // for one zone
)

// delegations keeps in memory what parent zones said of the zones below: a page shows it, and nothing is decided by it.
type delegations struct {
	dns *DNS

	mu   sync.Mutex
	last map[string]delegation // by source and website
}

// delegation holds what the parent of one zone said last.
type delegation struct {
	at       time.Time
	row      uint64 // the row's last event when it was asked
	sighting Sighting
	err      error // why it could not be asked
}

// of returns what was said last about a website's zone.
func (d *delegations) of(source, website string) (delegation, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.last[source+"/"+website]
	return one, ok
}

// due tells whether the parent of the zone of r is to be asked.
func (d *delegations) due(r Row, now time.Time) bool {
	if r.Domain == "" || r.DS == nil && r.PreviousDS == nil {
		return false
	}
	one, ok := d.of(r.Source, r.ID)
	every := delegationRare
	if r.NextStep != "" {
		every = delegationSoon
	}
	return !ok || one.row != r.Seq || now.Sub(one.at) >= every
}

// watchDelegations asks the parents of all zones that rotate their keys, on a schedule and whenever something is heard
// of a rotation.
func (a *Asker) watchDelegations(ctx context.Context) {
	news := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		a.Changes.Rotations(ctx, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	})
	for ctx.Err() == nil {
		if err := a.LookAtParents(ctx); err != nil && ctx.Err() == nil {
			a.Logger.Warn("the parents of zones are asked again later", "error", err)
		}
		waiting, cancel := context.WithTimeout(ctx, clockEvery)
		select {
		case <-news:
		case <-waiting.Done():
		}
		cancel()
	}
}

// LookAtParents asks the parents of the zones that are due.
func (a *Asker) LookAtParents(ctx context.Context) error {
	if err := a.CatchUp(ctx); err != nil {
		return err
	}
	var due []Row
	err := a.Known.Each(ctx, Selection{Model: Rotations, Now: a.Now()}, func(r Row) bool {
		if a.dns.due(r, a.Now()) {
			due = append(due, r)
		}
		return true
	})
	for i := range due {
		err = errors.Join(err, a.lookAt(ctx, due[i]))
	}
	return err
}

// lookAt asks the parent of one zone, and appends that it has the new DS record, or no longer the old one, where the
// rotation waits for that.
func (a *Asker) lookAt(ctx context.Context, r Row) error {
	rotation := rotationOf(r)
	want, waits := rotation.Wanted()
	if !waits {
		if want = (schema.DS{}); r.DS != nil {
			want = *r.DS
		}
	}
	asking, cancel := context.WithTimeout(ctx, delegationAsks)
	defer cancel()
	sighting, err := a.dns.dns.CheckDS(asking, r.Domain, want)
	if ctx.Err() != nil {
		return nil
	}
	a.dns.mu.Lock()
	a.dns.last[r.Source+"/"+r.ID] = delegation{at: a.Now(), row: r.Seq, sighting: sighting, err: err}
	a.dns.mu.Unlock()
	if err != nil {
		return err
	}
	kind, data, ok := rotation.Found(sighting)
	if !ok {
		return nil
	}
	id, err := a.NewID()
	if err != nil {
		return err
	}
	_, err = a.Log.Append(ctx, FoundEvent(id, a.Now(), kind, data))
	return err
}

func rotationOf(r Row) Rotation {
	return Rotation{
		Provider: r.Source, WebsiteID: r.ID, Domain: r.Domain, NextStep: r.NextStep, DS: r.DS, PreviousDS: r.PreviousDS,
	}
}

// Delegation reports what the parent of a zone said last.
type Delegation struct {
	At      time.Time
	Trouble string // why it could not be asked, a sentence; "" if it was
	Said    string // a sentence
	Refused bool   // whoever validates DNSSEC refuses the zone
}

// DelegationOf returns what the parent said last of the zone of the rotation r; false if it was not asked.
func (a *Asker) DelegationOf(r Row) (Delegation, bool) {
	if a.dns == nil {
		return Delegation{}, false
	}
	one, ok := a.dns.of(r.Source, r.ID)
	if !ok {
		return Delegation{}, false
	}
	if one.err != nil {
		return Delegation{At: one.at, Trouble: one.err.Error()}, true
	}
	rotation := rotationOf(r)
	refused := rotation.Refused(one.sighting, r.State == StateCompleted)
	return Delegation{At: one.at, Said: rotation.Says(one.sighting), Refused: refused}, true
}
