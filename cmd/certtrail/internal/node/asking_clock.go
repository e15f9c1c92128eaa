package node

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

const (
	clockEvery = time.Minute    // between two looks at what has fallen due
	clockJump  = 24 * time.Hour // a jump forward of the clock by more than this holds notices back
)

// watchClock tells what falls due, each notice once.
func (k *asking) watchClock(ctx context.Context) {
	watch := &ask.Watch{Limit: clockJump}
	began := time.Now()
	for ctx.Err() == nil {
		k.look(ctx, watch, ask.Reading{Wall: k.now(), Mono: time.Since(began)})
		_ = ask.WaitFor(ctx, clockEvery) // whose end is the loop's
	}
}

// look tells what falls due at one reading of the clock, unless the clock has jumped.
func (k *asking) look(ctx context.Context, watch *ask.Watch, r ask.Reading) {
	err := watch.Look(r)
	if err == nil {
		err = k.tick(ctx, r.Wall)
	}
	if ctx.Err() == nil {
		k.note(err)
	}
}

// note keeps why the clock tells nothing, and logs it when it is news.
func (k *asking) note(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != "" && trouble != k.clockTrouble {
		k.logger.Error("notices of the clock are held back", "error", err)
	}
	k.clockTrouble = trouble
}

// tick appends the notices that fell due since the last tick. What fell due before certtrail first had a clock is not told. While the read models are
// being rebuilt it waits for the next tick: what they would show is not how things stand.
func (k *asking) tick(ctx context.Context, now time.Time) error {
	last := k.state.Clock()
	if last.IsZero() {
		return k.state.SetClock(now)
	}
	current, err := k.o.log.Last(ctx)
	if err != nil {
		return err
	}
	status, _, err := k.o.Store.Status(ctx)
	if err != nil || status[0].State != projections.StateLive || status[0].Seq < current {
		return err
	}
	due, err := k.due(ctx, now, last)
	if err != nil {
		return err
	}
	for _, notice := range due {
		if _, err := k.o.log.Append(ctx, notice.Event(now)); err != nil {
			return err
		}
	}
	if now.Before(last) {
		return nil // a clock that went back tells nothing twice
	}
	// COMMIT. The notices are durable. A crash before this appends them once more, under the same ids, which the read models ignore.
	return k.state.SetClock(now)
}

// due returns the notices that fell due since last. It judges rows one by one: all of them at once would take the
// memory of a large installation, every minute.
func (k *asking) due(ctx context.Context, now, last time.Time) ([]ask.Notice, error) {
	var due []ask.Notice
	certificate := func(c *projections.Certificate) bool {
		one := ask.Certificate{Provider: c.Provider, ID: c.ID, OrderID: c.OrderID, NotAfter: moment(c.NotAfter), NotBefore: moment(c.NotBefore), Heard: c.FirstEventAt.Time}
		due = append(due, ask.DefaultThresholds.Due(now, last, []ask.Certificate{one}, nil)...)
		return one.NotAfter.After(last)
	}
	// Every threshold lies within the time that a certificate is expiring for; of the expired, those matter that were not yet when it was last looked.
	err := each(ctx, k.o.Store, projections.Certificates, projections.Query{State: lifecycle.Expiring, Now: now}, func(c *projections.Certificate) bool { certificate(c); return true })
	if err != nil {
		return nil, err
	}
	if err := each(ctx, k.o.Store, projections.Certificates, projections.Query{State: lifecycle.Expired, Sort: "-not_after", Now: now}, certificate); err != nil {
		return nil, err
	}
	var lapsing []ask.Validation
	err = each(ctx, k.o.Store, projections.Domains, projections.Query{Now: now}, func(d *projections.Domain) bool {
		one := ask.Validation{
			Provider: d.Provider, Domain: d.Name, ValidatedAt: moment(d.ValidatedAt), ExpiresAt: moment(rules.LapseOf(d.ValidatedAt, d.ExpiresAt)), Heard: d.FirstEventAt.Time,
			Over: !rules.Usable(d.State, nil, now),
		}
		if len(ask.DefaultThresholds.Due(now, last, nil, []ask.Validation{one})) > 0 {
			lapsing = append(lapsing, one)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range lapsing {
		renewal, err := k.o.Store.NextRenewal(ctx, lapsing[i].Provider, lapsing[i].Domain, now)
		if err != nil {
			return nil, err
		}
		lapsing[i].Renewal = moment(renewal)
	}
	due = append(due, ask.DefaultThresholds.Due(now, last, nil, lapsing)...)
	slices.SortFunc(due, func(a, b ask.Notice) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	var overdue []ask.Overdue
	err = each(ctx, k.o.Store, projections.DNSSECs, projections.Query{State: lifecycle.RotationOverdue, Now: now}, func(d *projections.DNSSEC) bool {
		from := rules.Overdue(lifecycle.RotationStarted, d.StartedAt)
		overdue = append(overdue, ask.Overdue{Provider: d.Provider, WebsiteID: d.WebsiteID, Domain: d.Domain, Started: moment(d.StartedAt), From: from.Time})
		return true
	})
	if err != nil {
		return nil, err
	}
	return append(due, ask.DueRotations(now, last, overdue)...), nil
}

func moment(t *schema.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// each gives every item of a list until yield is false.
func each[S, T any](ctx context.Context, store *projections.Store, t *projections.Table[S, T], q projections.Query, yield func(*T) bool) error {
	for q.Limit = projections.MaxLimit; ; {
		items, next, err := projections.List(ctx, store, t, q)
		if err != nil {
			return err
		}
		for i := range items {
			if !yield(&items[i]) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}
