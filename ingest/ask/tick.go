package ask

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

const (
	clockEvery = time.Minute    // between two looks at what has fallen due
	clockJump  = 24 * time.Hour // a jump forward of the clock by more than this holds notices back
)

// watchClock tells what falls due, each notice once.
func (k *Asker) watchClock(ctx context.Context) {
	watch := &Watch{Limit: clockJump}
	began := time.Now()
	for ctx.Err() == nil {
		k.Look(ctx, watch, Reading{Wall: k.Now(), Mono: time.Since(began)})
		_ = WaitFor(ctx, clockEvery) // whose end is the loop's
	}
}

// Look tells what falls due at one reading of the clock, unless the clock has jumped.
func (k *Asker) Look(ctx context.Context, watch *Watch, r Reading) {
	err := watch.Look(r)
	if err == nil {
		err = k.Tick(ctx, r.Wall)
	}
	if ctx.Err() == nil {
		k.note(err)
	}
}

// note keeps why the clock tells nothing, and logs it when it is news.
func (k *Asker) note(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != "" && trouble != k.clockTrouble {
		k.Logger.Error("notices of the clock are held back", "error", err)
	}
	k.clockTrouble = trouble
}

// Tick appends the notices that fell due since the last tick. What fell due before certtrail first had a clock is not told. While the read models are
// being rebuilt it waits for the next tick: what they would show is not how things stand.
func (k *Asker) Tick(ctx context.Context, now time.Time) error {
	last := k.State.Clock()
	if last.IsZero() {
		return k.State.SetClock(now)
	}
	current, err := k.Log.Last(ctx)
	if err != nil {
		return err
	}
	if ok, err := k.Changes.Current(ctx, current); err != nil || !ok {
		return err
	}
	due, err := k.Due(ctx, now, last)
	if err != nil {
		return err
	}
	for _, notice := range due {
		if _, err := k.Log.Append(ctx, notice.Event(now)); err != nil {
			return err
		}
	}
	if now.Before(last) {
		return nil // a clock that went back tells nothing twice
	}
	// COMMIT. The notices are durable. A crash before this appends them once more, under the same ids, which the read models ignore.
	return k.State.SetClock(now)
}

// Due returns the notices that fell due since last. Rows are judged one by one: all of them at once would be the memory of a large installation, every minute.
func (k *Asker) Due(ctx context.Context, now, last time.Time) ([]Notice, error) {
	var due []Notice
	certificate := func(c Row) bool {
		one := Certificate{Provider: c.Source, ID: c.ID, OrderID: c.OrderID, NotAfter: c.NotAfter, NotBefore: c.NotBefore, Heard: c.Heard}
		due = append(due, DefaultThresholds.Due(now, last, []Certificate{one}, nil)...)
		return one.NotAfter.After(last)
	}
	// Every threshold lies within the time that a certificate is expiring for; of the expired, those matter that were not yet when it was last looked.
	err := k.Known.Each(ctx, Selection{Model: Certificates, State: StateExpiring, Now: now}, func(c Row) bool { certificate(c); return true })
	if err != nil {
		return nil, err
	}
	if err := k.Known.Each(ctx, Selection{Model: Certificates, State: StateExpired, Now: now}, certificate); err != nil {
		return nil, err
	}
	lapsing, err := k.lapsing(ctx, now, last)
	if err != nil {
		return nil, err
	}
	due = append(due, DefaultThresholds.Due(now, last, nil, lapsing)...)
	slices.SortFunc(due, func(a, b Notice) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	var overdue []Overdue
	err = k.Known.Each(ctx, Selection{Model: Rotations, State: StateOverdue, Now: now}, func(r Row) bool {
		overdue = append(overdue, Overdue{Provider: r.Source, WebsiteID: r.ID, Domain: r.Domain, Started: r.StartedAt, From: r.OverdueAt})
		return true
	})
	if err != nil {
		return nil, err
	}
	return append(due, DueRotations(now, last, overdue)...), nil
}

// lapsing returns the validations of which something fell due since last, each with the next renewal that needs it.
func (k *Asker) lapsing(ctx context.Context, now, last time.Time) ([]Validation, error) {
	var lapsing []Validation
	err := k.Known.Each(ctx, Selection{Model: Domains, Now: now}, func(d Row) bool {
		one := Validation{Provider: d.Source, Domain: d.Domain, ValidatedAt: d.ValidatedAt, ExpiresAt: d.Lapses, Heard: d.Heard, Over: d.Unusable}
		if len(DefaultThresholds.Due(now, last, nil, []Validation{one})) > 0 {
			lapsing = append(lapsing, one)
		}
		return true
	})
	for i := range lapsing {
		if err != nil {
			return nil, err
		}
		var d Row
		d, _, err = k.Known.Row(ctx, Domains, lapsing[i].Provider, lapsing[i].Domain, now)
		lapsing[i].Renewal = d.Renewal
	}
	return lapsing, err
}
