package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// When the read models are scrubbed: soon after the start, and then again after a rest that is the longer the more work
// it was, so that little is looked at every few minutes, and much once a day.
const (
	scrubFirst = 10 * time.Second
	scrubLeast = time.Minute
	scrubMost  = 12 * time.Hour
	scrubRest  = 100 // the rest, as a multiple of the work
)

// scrubPart limits the rows of a table that are compared at once, as of one event.
const scrubPart = 2000

// Verified tells how the last verification ended that a running store made by itself.
type Verified struct {
	At        schema.Time `json:"at"`
	Seq       uint64      `json:"seq,omitempty"`     // the last event that was compared
	Differing int         `json:"differing"`         // rows that were not what the log gives
	Skipped   string      `json:"skipped,omitempty"` // why nothing was compared, or not all
}

// tend scrubs the read models again and again, until ctx ends.
func (s *Store) tend(ctx context.Context) {
	rest, unsound := scrubFirst, 0
	for {
		suspected := s.await(ctx, rest)
		if ctx.Err() != nil {
			return
		}
		p := &pace{s: s, hurried: suspected, began: s.o.Now()}
		r := &scrub{s: s, p: p}
		err := r.run(ctx)
		switch {
		case err != nil && isElsewhere(ctx, err):
		case err != nil:
			s.skipped(Verified{}, err.Error())
			s.trust(p.hurried, scrubLeast)
		case r.v.Differing > 0:
			unsound++
		default:
			unsound = 0
			s.trust(p.hurried, scrubMost)
		}
		rest = restAfter(p.worked, unsound)
	}
}

// restAfter returns how long after so much work the next scrub begins; unsound counts those before that found
// differences, one after the other: where a rebuild does not help, it is not done again and again.
func restAfter(worked time.Duration, unsound int) time.Duration {
	return min(max(scrubLeast<<min(unsound, 10), scrubRest*worked), scrubMost)
}

// trust notes for how long a row that cannot be read is no reason to look again: rebuilding what the log gives, again
// and again, is no remedy.
func (s *Store) trust(hurried bool, d time.Duration) {
	if hurried {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trusted = s.o.Now().Add(d)
	}
}

// isElsewhere reports whether a scrub ended because the read models are built, or will be, for another reason, which is
// said elsewhere.
func isElsewhere(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrBusy) || errors.Is(err, ErrRebuilding)
}

// skipped notes why a verification did not compare all there is.
func (s *Store) skipped(v Verified, why string) {
	v.At, v.Skipped = schema.At(s.o.Now()), why
	said := false
	s.setStatus(func(st *Status) {
		said = st.Verified != nil && st.Verified.Skipped == why
		st.Verified = &v
	})
	if !said {
		s.logger.Warn("the read models were not verified", "reason", why)
	}
}

// suspect has the read models held against the log at once, because of a row that cannot be read. It is false where
// that was done, and the row is what the log gives.
func (s *Store) suspect(f *file, err error) bool {
	s.mu.RLock()
	replaced, trusted := s.current != f, s.o.Now().Before(s.trusted)
	s.mu.RUnlock()
	if replaced || trusted {
		return replaced
	}
	select {
	case s.suspects <- struct{}{}:
		s.logger.Warn("verifying the read models against the log", "reason", err)
	default:
	}
	return true
}

// scrub holds the generation in use against one that it builds from the log, and puts that in its place if they differ.
type scrub struct {
	s *Store
	p *pace
	v Verification
}

func (r *scrub) run(ctx context.Context) error {
	s := r.s
	current, reason := s.inUse()
	if current == nil || reason != "" {
		return ErrRebuilding // which is done already
	}
	ctx, leave, err := s.building.acquireIdle(ctx)
	if err != nil {
		return err
	}
	defer leave()
	broken, err := r.checkIndexes(ctx)
	if err != nil {
		return err
	}
	held, err := s.heldOfGaps(ctx)
	if err != nil {
		return err
	}
	if len(held) > 0 && broken == 0 && !r.p.hurried {
		s.skipped(Verified{}, "they hold events that are gone from the log, so only their indexes were checked")
		return nil
	}
	if err := s.roomFor(2 * sizeOf(current.path)); err != nil {
		return err
	}
	return r.rebuild(ctx, current, broken)
}

// heldOfGaps returns what the generation in use holds of all that the log says is gone, accepted or not: no rebuild
// gives it.
func (s *Store) heldOfGaps(ctx context.Context) (held schema.Gaps, err error) {
	if s.o.Gaps == nil {
		return nil, nil
	}
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	h, err := readHolding(ctx, db)
	gone, _ := s.o.Gaps()
	return h.lacking(gone), err
}

// sizeOf returns how many bytes the database at path takes, without what is beside it.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil { // whoever opens it says so
		return 0
	}
	return info.Size()
}

// rebuild builds a generation, compares it with current, and puts it in its place if they differ.
func (r *scrub) rebuild(ctx context.Context, current *file, broken int) (err error) {
	s := r.s
	aside := filepath.Join(s.o.Dir, "scrub"+asideSuffix)
	b := s.newBuild(aside, current.redecoded, "the read models are verified", nil)
	b.pace, b.quiet, b.replaced = r.p, !r.p.hurried, s.keep
	removeDatabase(aside)
	defer removeDatabase(aside) // a crash leaves it to the next start
	defer b.end()
	to, eventID, err := s.cursor(ctx)
	if err == nil {
		err = s.checkCursor(ctx, to, eventID)
	}
	if errors.Is(err, schema.ErrPastEnd) {
		s.baton.take()() // whoever follows the log into it begins again, and finds the same
		return ErrRebuilding
	}
	if err == nil {
		err = b.load(ctx, to)
	}
	if err == nil {
		err = r.compare(ctx, b)
	}
	if err != nil {
		return err
	}
	switch {
	case r.v.Differing == 0:
		s.setStatus(func(st *Status) { st.Verified = &Verified{At: schema.At(s.o.Now()), Seq: b.seq} })
		return nil
	case len(r.v.Gone) > 0 && broken == 0 && !r.p.hurried:
		s.skipped(Verified{Seq: b.seq}, "they hold events that are gone from the log")
		r.v.Differing = 0
		return nil
	}
	why := r.text()
	s.logger.Warn("the read models are replaced by those that the log gives", "reason", why, "first", r.v.Differences[0].location())
	if _, err = s.takeOver(ctx, b); err != nil {
		removeDatabase(b.path) // it may have its name already
		return err
	}
	select {
	case <-s.suspects: // of those that are replaced
	default:
	}
	s.setStatus(func(st *Status) {
		s.trusted = time.Time{}
		st.Verified, st.Mended = &Verified{At: schema.At(s.o.Now()), Seq: b.seq, Differing: r.v.Differing}, why
	})
	return nil
}

// text names what differs, without what it says.
func (r *scrub) text() string {
	var tables []string
	for _, d := range r.v.Differences {
		if !slices.Contains(tables, d.Table) {
			tables = append(tables, d.Table)
		}
	}
	places := " places"
	if r.v.Differing == 1 {
		places = " place"
	}
	return fmt.Sprintf("they differed from the log in %d%s (%s)", r.v.Differing, places, strings.Join(tables, ", "))
}

// checkIndexes has SQLite hold the indexes against the tables, table by table.
func (r *scrub) checkIndexes(ctx context.Context) (broken int, err error) {
	for _, t := range comparedTables {
		if err := r.s.fresh(ctx, func(live *sql.Tx) error { return r.v.checkIndexes(ctx, live, t.name) }); err != nil {
			return 0, err
		}
		if err := r.p.rest(ctx); err != nil {
			return 0, err
		}
	}
	return r.v.Differing, nil
}

// compare holds every row against what b has, part by part, each as of one event.
func (r *scrub) compare(ctx context.Context, b *build) error {
	if err := b.catchUp(ctx, r.s.held); err != nil {
		return err
	}
	rebuilt, err := openFile(b.path)
	if err != nil {
		return err
	}
	defer rebuilt.readers.Close()
	for _, t := range append(slices.Clip(comparedTables), theSchema) {
		for part := (span{}); ; part.after = part.until {
			if part.until, err = t.end(ctx, rebuilt.readers, part.after, scrubPart); err != nil {
				return err
			}
			err := r.s.sameMoment(ctx, b, func(live *sql.Tx) error {
				_, err := r.v.compare(ctx, t, part, live, rebuilt.readers)
				return err
			})
			if err == nil {
				err = r.p.rest(ctx)
			}
			if err != nil {
				return err
			}
			if part.until == nil {
				break
			}
		}
	}
	return r.s.sameMoment(ctx, b, func(live *sql.Tx) error { return r.v.compareHoldings(ctx, live, rebuilt.readers) })
}
