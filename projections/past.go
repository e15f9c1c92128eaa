package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// ErrNoLog says that a moment of the past was asked for where there is nothing to fold it from.
var ErrNoLog = errors.New("this database has no log beside it, so only its own moment can be shown")

// ErrNoPast marks why a moment of the past cannot be folded: an event of it is gone from the log, or cannot be read any
// more.
var ErrNoPast = errors.New("that moment cannot be shown")

// The limits of what is folded for one answer.
const (
	ChangesLimit  = 500    // events of one row, the newest, are told what they changed
	TimelineLimit = 10_000 // events of one row, or of all that concerns one domain name, the newest, are told of
	pastLimit     = 20_000 // the longest history of which a moment is folded
	foldLimit     = 2_000  // a longer history is folded only when a moment of it is asked for: each event costs a read of the log
	eventsHeld    = 2_000  // events that are held because another row of the answer may be concerned too
)

// Moment marks a place in a row's life. Of Seq and Time at most one is set; with neither it is the present, at Now.
//
// As of Seq is after all of the row's events up to that sequence, whether it is one of theirs or not. The clock is then
// the time of the event with that sequence, or of the row's last one before it where the log has no such event. As of
// Time is after the row's events, in the log's order, up to the last one that was received not later than Time; the
// clock is Time. Events are received in ascending order, so that these are normally all that had been received by then.
// Where a clock was set back and they are not, an event before the last one counts whatever its time.
type Moment struct {
	Seq  uint64
	Time time.Time
	Now  time.Time

	RowOnly bool // leaves out what each event changed, and what stands beside the row
}

func (m Moment) present() bool { return m.Seq == 0 && m.Time.IsZero() }

// reached counts the entries, ascending by sequence, that belong to the past as of m.
func (m Moment) reached(entries []TimelineEntry) int {
	for n := len(entries); n > 0; n-- {
		e := &entries[n-1]
		if m.Time.IsZero() && e.Seq <= m.Seq || !m.Time.IsZero() && !e.Time.After(m.Time) {
			return n
		}
	}
	return 0
}

// Row returns one row as of a moment, a pointer to its item, with its timeline up to then, what each event changed, and
// what stands beside the row: of an order the validations of its names and its certificates, of a certificate its
// successor. It is ErrNotFound before the row's first event, and ErrNoLog or ErrNoPast where the moment cannot be
// folded. In the present only the changes are missing if they cannot be told.
func (s *Store) Row(ctx context.Context, m Model, provider, id string, asOf Moment) (item any, err error) {
	f, done, err := s.readFile()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	r := newReading(s, f, asOf)
	key := rowKey{provider, id}
	if !asOf.present() {
		p, err := r.foldAsOf(ctx, m, key)
		if err != nil {
			return nil, err
		}
		item = p.item
	} else if item, err = r.now(ctx, m, key); err != nil {
		return nil, err
	}
	if asOf.RowOnly {
		return item, nil
	}
	return item, r.complete(ctx, item)
}

// One returns the Row of a model whose items' type is known.
func One[S, T any](ctx context.Context, s *Store, t *Table[S, T], provider, id string, asOf Moment) (*T, error) {
	item, err := s.Row(ctx, t, provider, id, asOf)
	if err != nil {
		return nil, err
	}
	return item.(*T), nil
}

// now returns the item of a row in the present, with its timeline.
func (r *reading) now(ctx context.Context, m Model, key rowKey) (any, error) {
	state, err := stored(ctx, r.db, m, key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	item := itemOf(m, key, state, r.m.Now)
	row := RowOf(item)
	if row.Timeline, err = timeline(ctx, r.db, m.About().Name, key, TimelineLimit); err == nil && !r.m.RowOnly {
		r.annotate(ctx, m, row.Timeline)
	}
	return item, err
}

// complete adds to an item what stands beside its row.
func (r *reading) complete(ctx context.Context, item any) error {
	switch item := item.(type) {
	case *Order:
		return r.completeOrder(ctx, item)
	case *Certificate:
		return r.succeed(ctx, item)
	}
	return nil
}

// annotate adds to the entries of a row what each event changed. It is only ever an addition, so that what keeps it
// from being made is logged.
func (r *reading) annotate(ctx context.Context, m Model, entries []TimelineEntry) {
	if r.s.log == nil || len(entries) > foldLimit {
		return
	}
	if _, err := r.foldAll(ctx, m, entries); err != nil && ctx.Err() == nil {
		r.s.logger.Warn("couldn't work out what a row's events changed", "model", m.About().Name, "error", err)
	}
}

// reading folds rows for one answer.
type reading struct {
	s      *Store
	mean   meaning
	db     *sql.DB
	m      Moment
	events map[uint64]*schema.Event // what was read; nil: of one row only, so that none is needed again
	seqAt  *schema.Time             // when the event m.Seq was received, once that is known

	certificates map[rowKey]*lifecycle.Certificate // as of the moment, those that were folded to find successors
}

func newReading(s *Store, f *file, m Moment) *reading {
	return &reading{s: s, mean: s.meaningFor(f.redecoded), db: f.readers, m: m}
}

// past holds one row as of a moment.
type past struct {
	rowKey
	state, item any
}

// foldAsOf returns the row as of the reading's moment.
func (r *reading) foldAsOf(ctx context.Context, m Model, key rowKey) (*past, error) {
	all, err := timeline(ctx, r.db, m.About().Name, key, pastLimit+1)
	if err != nil {
		return nil, err
	}
	if len(all) > pastLimit {
		return nil, fmt.Errorf("%w: there are more than %d events of it, too many to fold for one answer; certtrail replay --until-seq N --out FILE makes a database as of then", ErrNoPast, pastLimit)
	}
	n := r.m.reached(all)
	if n == 0 {
		return nil, ErrNotFound
	}
	entries, later := all[:n:n], all[n:]
	p := &past{rowKey: key}
	switch {
	case r.s.log != nil:
		p.state, err = r.foldAll(ctx, m, entries)
	case len(later) == 0: // the row stands as the moment leaves it
		p.state, err = stored(ctx, r.db, m, key)
	default:
		err = ErrNoLog
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && m.Life(p.state).EventCount == 0 { // only the clock has said something by then
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	clock, err := r.clock(ctx, &entries[n-1])
	if err != nil {
		return nil, err
	}
	p.item = itemOf(m, key, p.state, clock.Time)
	row := RowOf(p.item)
	row.Timeline, row.Then = entries, Then{AsOfSeq: entries[n-1].Seq, AsOf: &clock, Later: later}
	return p, nil
}

// foldAll returns the state that the events of the entries make, and adds to the newest of them what each changed. The
// entries are what the writer took for this row: what it parked, or had seen before under a true id, is not among them.
func (r *reading) foldAll(ctx context.Context, m Model, entries []TimelineEntry) (state any, err error) {
	state = m.NewState()
	for i := range entries {
		e, err := r.event(ctx, entries[i].Seq)
		if err != nil {
			return state, err
		}
		next, err := m.Fold(state, entries[i].Seq, e)
		if err != nil {
			return state, fmt.Errorf("%w: event %d: %w", ErrNoPast, entries[i].Seq, err)
		}
		if i >= len(entries)-ChangesLimit {
			entries[i].Changes = m.Changes(state, next, e.Time.Time)
		}
		state = next
	}
	return state, nil
}

// event returns an event as the folds see it.
func (r *reading) event(ctx context.Context, seq uint64) (*schema.Event, error) {
	if e := r.events[seq]; e != nil {
		return e, nil
	}
	record, err := r.s.log.Get(ctx, seq)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: event %d, which is part of it, is gone from the log", ErrNoPast, seq)
	}
	if err != nil {
		return nil, fmt.Errorf("couldn't read event %d of the log: %w", seq, err)
	}
	e, err := r.mean(record)
	if err != nil {
		return nil, fmt.Errorf("%w: event %d, which is part of it, cannot be read: %w", ErrNoPast, seq, err)
	}
	if r.events != nil && len(r.events) < eventsHeld {
		r.events[seq] = e
	}
	return e, nil
}

// clock returns the time as of the moment; last is the row's last event by then.
func (r *reading) clock(ctx context.Context, last *TimelineEntry) (schema.Time, error) {
	switch {
	case !r.m.Time.IsZero():
		return schema.At(r.m.Time), nil
	case r.seqAt != nil:
		return *r.seqAt, nil
	case last.Seq == r.m.Seq || r.s.log == nil:
		return last.Time, nil
	}
	record, err := r.s.log.Get(ctx, r.m.Seq)
	if errors.Is(err, fs.ErrNotExist) { // a gap, or past the log's end
		return last.Time, nil
	}
	if err != nil {
		return schema.Time{}, fmt.Errorf("couldn't read event %d of the log: %w", r.m.Seq, err)
	}
	t := schema.At(record.Time)
	if e, err := r.mean(record); err == nil {
		t = e.Time
	}
	r.seqAt = &t
	return t, nil
}
