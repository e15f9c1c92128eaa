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
func (a *Asker) watchClock(ctx context.Context) {
	watch := &Watch{Limit: clockJump}
	began := time.Now()
	for ctx.Err() == nil {
		a.Look(ctx, watch, Reading{Wall: a.Now(), Mono: time.Since(began)})
		_ = WaitFor(ctx, clockEvery) // whose end is the loop's
	}
}

// Look tells what falls due at one reading of the clock, unless the clock has jumped.
func (a *Asker) Look(ctx context.Context, watch *Watch, r Reading) {
	err := watch.Look(r)
	if err == nil {
		err = a.Tick(ctx, r.Wall)
	}
	if ctx.Err() == nil {
		a.note(err)
	}
}

// note keeps why the clock appends no notices, and logs it when it is news.
func (a *Asker) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != "" && trouble != a.clockTrouble {
		a.Logger.Error("notices of the clock are held back", "error", err)
	}
	a.clockTrouble = trouble
}

// Tick appends the notices that fell due since the last tick. What fell due before certtrail first had a clock is not
// told. While the rows are not in use or behind the log it waits for the next tick: they do not show how things stand.
func (a *Asker) Tick(ctx context.Context, now time.Time) error {
	last := a.State.Clock()
	if last.IsZero() {
		return a.State.SetClock(now)
	}
	current, err := a.Log.Last(ctx)
	if err != nil {
		return err
	}
	if ok, err := a.Changes.Current(ctx, current); err != nil || !ok {
		return err
	}
	due, err := a.Due(ctx, now, last)
	if err != nil {
		return err
	}
	for _, notice := range due {
		if _, err := a.Log.Append(ctx, notice.Event(now)); err != nil {
			return err
		}
	}
	if now.Before(last) {
		return nil // a clock that went back tells nothing twice
	}
	// COMMIT. The notices are durable. A crash before this appends them once more, under the same ids, which the read
	// models ignore.
	return a.State.SetClock(now)
}

// Due returns the notices that fell due since last. It judges rows one by one: all of them at once would take the
// memory of a large installation, every minute.
func (a *Asker) Due(ctx context.Context, now, last time.Time) ([]Notice, error) {
	var due []Notice
	certificate := func(c Row) bool {
		one := Certificate{
			Provider: c.Source, ID: c.ID, OrderID: c.OrderID, NotAfter: c.NotAfter, NotBefore: c.NotBefore, Heard: c.Heard,
		}
		due = append(due, DefaultThresholds.Due(now, last, []Certificate{one}, nil)...)
		return one.NotAfter.After(last)
	}
	// Every threshold lies within the time that a certificate is expiring for; of the expired, those matter that had
	// not expired at the last look.
	expiring := Selection{Model: Certificates, State: StateExpiring, Now: now}
	err := a.Known.Each(ctx, expiring, func(c Row) bool { certificate(c); return true })
	if err != nil {
		return nil, err
	}
	expired := Selection{Model: Certificates, State: StateExpired, Now: now}
	if err := a.Known.Each(ctx, expired, certificate); err != nil {
		return nil, err
	}
	lapses, err := a.lapses(ctx, now, last)
	if err != nil {
		return nil, err
	}
	due = append(due, DefaultThresholds.Due(now, last, nil, lapses)...)
	slices.SortFunc(due, func(one, other Notice) int {
		return cmp.Or(one.At.Compare(other.At), strings.Compare(one.ID, other.ID))
	})
	var overdue []Overdue
	err = a.Known.Each(ctx, Selection{Model: Rotations, State: StateOverdue, Now: now}, func(r Row) bool {
		overdue = append(overdue, Overdue{
			Provider: r.Source, WebsiteID: r.ID, Domain: r.Domain, Started: r.StartedAt, From: r.OverdueAt,
		})
		return true
	})
	if err != nil {
		return nil, err
	}
	return append(due, DueRotations(now, last, overdue)...), nil
}

// lapses returns the validations of which something fell due since last, each with the next renewal that needs it.
func (a *Asker) lapses(ctx context.Context, now, last time.Time) ([]Validation, error) {
	var lapses []Validation
	err := a.Known.Each(ctx, Selection{Model: Domains, Now: now}, func(d Row) bool {
		one := Validation{
			Provider: d.Source, Domain: d.Domain, ValidatedAt: d.ValidatedAt, ExpiresAt: d.Lapses, Heard: d.Heard,
			Over: d.Unusable,
		}
		if len(DefaultThresholds.Due(now, last, nil, []Validation{one})) > 0 {
			lapses = append(lapses, one)
		}
		return true
	})
	for i := range lapses {
		if err != nil {
			return nil, err
		}
		var d Row
		d, _, err = a.Known.Row(ctx, Domains, lapses[i].Provider, lapses[i].Domain, now)
		lapses[i].Renewal = d.Renewal
	}
	return lapses, err
}
