package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// knowledge reads the read models for questions, reconciles and notices.
type knowledge struct{ o *Node }

var (
	_ ask.Known   = knowledge{}
	_ ask.Changes = knowledge{}
)

var errNotReady = errors.New("the read models are not there yet: look at their state with certtrail's page /system")

// Await waits until the read models that are in use hold the event seq.
func (k knowledge) Await(ctx context.Context, seq uint64) error {
	if err := k.o.Store.Await(ctx, seq); err != nil {
		return errors.Join(errNotReady, err)
	}
	return nil
}

// Current tells whether the read models are live and hold the event seq.
func (k knowledge) Current(ctx context.Context, seq uint64) (bool, error) {
	status, _, err := k.o.Store.Status(ctx)
	return err == nil && status[0].State == projections.StateLive && status[0].Seq >= seq, err
}

// Rotations calls changed after each change of a rotation, until ctx ends.
func (k knowledge) Rotations(ctx context.Context, changed func()) {
	_ = k.o.Store.Live(ctx, 0, func(c projections.Change) error { // it ends with ctx
		if slices.ContainsFunc(c.Rows, func(r projections.Key) bool { return r.Model == lifecycle.DNSSECs }) {
			changed()
		}
		return ctx.Err()
	})
}

// Row reads one row.
func (k knowledge) Row(ctx context.Context, m ask.Model, source, id string, now time.Time) (ask.Row, bool, error) {
	at := projections.Moment{Now: now, RowOnly: true}
	switch m {
	case ask.Orders:
		return rowIn(ctx, k.o.Store, projections.Orders, orderRow, source, id, at)
	case ask.Certificates:
		return rowIn(ctx, k.o.Store, projections.Certificates, certificateRow, source, id, at)
	case ask.Rotations:
		return rowIn(ctx, k.o.Store, projections.DNSSECs, rotationRow, source, id, at)
	}
	row, ok, err := rowIn(ctx, k.o.Store, projections.Domains, domainRow, source, id, at)
	if err != nil || !ok {
		return ask.Row{}, false, err
	}
	renewal, err := k.o.Store.NextRenewal(ctx, source, id, now)
	row.Renewal = moment(renewal)
	return row, err == nil, err
}

// Each reads the rows that s selects.
func (k knowledge) Each(ctx context.Context, s ask.Selection, yield func(ask.Row) bool) error {
	q := projections.Query{Provider: s.Source, State: s.State, Now: s.Now}
	switch s.Model {
	case ask.Orders:
		return eachIn(ctx, k.o.Store, projections.Orders, orderRow, q, yield)
	case ask.Certificates:
		if s.State == ask.StateExpired {
			q.Sort = "-not_after"
		}
		return eachIn(ctx, k.o.Store, projections.Certificates, certificateRow, q, yield)
	case ask.Rotations:
		return eachIn(ctx, k.o.Store, projections.DNSSECs, rotationRow, q, yield)
	}
	return eachIn(ctx, k.o.Store, projections.Domains, domainRow, q, yield)
}

// rowIn reads one row of a table.
func rowIn[S, T any](
	ctx context.Context, store *projections.Store, t *projections.Table[S, T], row func(*T) ask.Row,
	source, id string, at projections.Moment,
) (ask.Row, bool, error) {
	item, err := projections.One(ctx, store, t, source, id, at)
	if errors.Is(err, projections.ErrNotFound) {
		return ask.Row{}, false, nil
	}
	if err != nil {
		return ask.Row{}, false, err
	}
	return row(item), true, nil
}

// eachIn yields the rows of a table, page by page, until yield returns false.
func eachIn[S, T any](
	ctx context.Context, store *projections.Store, t *projections.Table[S, T], row func(*T) ask.Row,
	q projections.Query, yield func(ask.Row) bool,
) error {
	for q.Limit = projections.MaxLimit; ; {
		items, next, err := projections.List(ctx, store, t, q)
		if err != nil {
			return err
		}
		for i := range items {
			if !yield(row(&items[i])) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}

func orderRow(o *projections.Order) ask.Row {
	return ask.Row{
		Source: o.Provider, ID: o.ID, State: o.State, Heard: o.FirstEventAt.Time, Seq: o.LastEventSeq,
		StateAt: stateAt(o.Timeline), CertificateID: o.CertificateID, CommonName: o.CommonName,
	}
}

func certificateRow(c *projections.Certificate) ask.Row {
	return ask.Row{
		Source: c.Provider, ID: c.ID, State: c.State, Heard: c.FirstEventAt.Time, Seq: c.LastEventSeq,
		StateAt: stateAt(c.Timeline), OrderID: c.OrderID, CommonName: c.CommonName,
		Collected: c.FingerprintSHA256 != "", NotBefore: moment(c.NotBefore), NotAfter: moment(c.NotAfter),
	}
}

func domainRow(d *projections.Domain) ask.Row {
	return ask.Row{
		Source: d.Provider, ID: d.Name, State: d.State, Heard: d.FirstEventAt.Time, Seq: d.LastEventSeq,
		Domain: d.Name, ValidatedAt: moment(d.ValidatedAt), Lapses: moment(rules.LapseOf(d.ValidatedAt, d.ExpiresAt)),
		Unusable: !rules.Usable(d.State, nil, time.Time{}),
	}
}

func rotationRow(r *projections.DNSSEC) ask.Row {
	return ask.Row{
		Source: r.Provider, ID: r.WebsiteID, State: r.State, Heard: r.FirstEventAt.Time, Seq: r.LastEventSeq,
		Domain: r.Domain, NextStep: r.NextStep, DS: r.DS, PreviousDS: r.PreviousDS, Unreadable: r.Unreadable != "",
		StartedAt: moment(r.StartedAt), OverdueAt: moment(rules.Overdue(lifecycle.RotationStarted, r.StartedAt)),
	}
}

func moment(t *schema.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// stateAt returns when the last event came that may say something of a state. What certtrail asked for itself meanwhile, a
// certificate say, says nothing of it.
func stateAt(timeline []projections.TimelineEntry) time.Time {
	for _, entry := range slices.Backward(timeline) {
		if k := schema.KindOf(entry.Type); k != schema.CertificateCollected && k != schema.OrderDescribed {
			return entry.Time.Time
		}
	}
	return time.Time{}
}
