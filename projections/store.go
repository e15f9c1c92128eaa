// Package projections folds the log into read models: SQLite tables that answer what the pages and the API ask, and
// that can be thrown away and built again at any time. The cursor moves in the transaction of its effect, so the tables
// always hold a whole prefix of the log.
package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/durable"
)

// Log gives the projections what they need of the log. Follow is called by one goroutine at a time, the others by many.
type Log interface {
	// Follow yields every event after the sequence, in order, until ctx ends or yield fails; schema.ErrPastEnd if the
	// log ends before.
	Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error
	// Last returns the sequence of the last event.
	Last(ctx context.Context) (uint64, error)
	// Get returns the event with that sequence.
	Get(ctx context.Context, seq uint64) (schema.Record, error)
}

// Backlog reads a part of the same log that is there already. Its method may be called at once by many goroutines.
type Backlog interface {
	// Read yields the events after `after` up to `until`, in order, and returns when there are no more of them: some
	// may be gone from the log.
	Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error
}

// The states of a projection.
const (
	StateLive       = "live"
	StateCatchingUp = "catching_up"
	StateRebuilding = "rebuilding"
	StateFailed     = "failed"
)

// Options say where a Store keeps its files, what it reads and what it works with.
type Options struct {
	Dir    string // where the read models are kept; made if it is not there
	Log    Log
	Aside  Backlog                           // to build other read models beside those in use
	Decode func(*schema.Event) *schema.Event // what today's decoders make of an event's original delivery; nil: events stay as the log has them
	Open   func(*schema.Event)               // fills in what an event holds sealed of a person, as long as it can be opened; nil: it stays sealed
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now; read to tell how fast a rebuild is, and when read models were verified

	// Gaps returns the sequences that are gone from the log, and those of them that an operator has accepted; nil: only
	// what was gone when it was folded is known.
	Gaps func() (gone, accepted schema.Gaps)

	// Losses tell how events were lost that no operator has accepted; nil: none was.
	Losses func() []schema.Loss

	// Unsettled tells whether the log lost events that no operator has settled yet; nil: never. As long as it does,
	// read models that hold such events are kept aside where others take their place.
	Unsettled func() bool

	Free  func() (int64, error)                // how many bytes the disk of Dir has left; nil: enough
	After func(time.Duration) <-chan time.Time // nil: time.After; paces what is done beside serving

	Busy     func() bool          // whether somebody waits for an answer, to whom a building gives way; nil: only to those who read the read models
	Building func() (done func()) // called when a database begins to be built from the log, and done when it is built: for the process to make room; nil: nothing
}

// Store holds the read models. Run keeps them; everything else reads them, from many goroutines.
type Store struct {
	o      Options
	log    Log
	logger *slog.Logger
	hub    *hub
	baton  *baton

	building *buildLock     // of whoever builds a database from the log
	keeping  sync.Mutex     // held while read models are kept, or removed that were
	suspects chan struct{}  // holds one when a row could not be read
	retiring sync.WaitGroup // generations that wait for their last readers
	active   atomic.Int64   // readers at work

	mu        sync.RWMutex
	current   *file     // nil until there is a generation to read
	number    int       // the highest that a generation was given
	reason    string    // why there is none, or why another must be built
	redecoded bool      // whether the generation in use, or the last that was, has its events derived again
	dropped   holding   // what the last generation that was in use held, where there is none
	trusted   time.Time // until when a row that cannot be read is what the log gives
	status    Status
}

// Open opens the read models. Reading answers ErrRebuilding until Run has built them, where there are none that this
// program can read.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Busy == nil {
		o.Busy = func() bool { return false }
	}
	if o.Building == nil {
		o.Building = func() func() { return func() {} }
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the directory of the read models: %w", err)
	}
	s := &Store{
		o: o, log: o.Log, logger: o.Logger, hub: newHub(), baton: newBaton(), building: newBuildLock(), suspects: make(chan struct{}, 1),
		status: Status{Name: "read-models", State: StateRebuilding},
	}
	g, ok, err := readCurrent(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("couldn't read the name of the read models in use: %w", err)
	}
	s.number = g.number
	keep := g.String()
	if !g.readable() {
		keep = ""
		if ok {
			s.dropped, _ = holdingOf(context.Background(), filepath.Join(o.Dir, g.String())) // tables of another version may not say
		}
	}
	if err := s.sortOut(keep); err != nil {
		return nil, fmt.Errorf("couldn't remove read models that are not in use: %w", err)
	}
	if !ok {
		s.reason = "there are none yet"
		current := filepath.Join(o.Dir, currentName)
		if _, err := os.Stat(current); err == nil { // it names none
			o.Logger.Warn("the name of the read models in use cannot be read; rebuilding them", "file", current)
			s.reason = "it is not known which were in use"
		}
		if err := s.beginEmpty(); err != nil {
			return nil, err
		}
		return s, nil
	}
	s.redecoded = g.redecoded && o.Decode != nil
	s.open(g)
	return s, nil
}

// open reads from the generation that was in use, if this program can, and notes why another must be built.
func (s *Store) open(g generation) {
	if !g.readable() {
		s.reason = "this version of certtrail has other tables"
		return
	}
	current, err := openFile(filepath.Join(s.o.Dir, g.String()))
	if err != nil {
		s.logger.Warn("the read models cannot be opened", "file", g.String(), "error", err)
		s.reason = "their file is gone or damaged"
		return
	}
	s.current = current
	if !g.fresh() {
		s.reason = "this version of certtrail folds events otherwise"
	}
}

// beginEmpty makes the read models of a log without events, which hold everything from the start.
func (s *Store) beginEmpty() error {
	ctx := context.Background()
	last, err := s.log.Last(ctx)
	if err != nil || last > 0 {
		return err
	}
	path := filepath.Join(s.o.Dir, s.next(false).String())
	if err := create(ctx, path, "_journal_mode=WAL&_synchronous=NORMAL", true); err != nil {
		return err
	}
	return s.use(path, removeDatabase)
}

// next names a generation that has never been: whoever still reads an old one must not find another under its name.
func (s *Store) next(redecoded bool) generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return generation{tables: tablesHash(), folds: lifecycle.Version, number: s.number, redecoded: redecoded}
}

func (s *Store) meaningFor(redecode bool) meaning {
	mean := asLogged
	if redecode && s.o.Decode != nil {
		mean = redecoded(s.o.Decode)
	}
	return opened(mean, s.o.Open)
}

// use makes the database at path the generation that is read, for this process and the next; end is for that before,
// once nobody reads it.
func (s *Store) use(path string, end func(path string)) error {
	next, err := openFile(path)
	if err != nil {
		return err
	}
	if err := writeCurrent(path); err != nil {
		next.readers.Close()
		return fmt.Errorf("couldn't switch to the new read models: %w", err)
	}
	if err := durable.SyncDir(s.o.Dir); err != nil { // a crash may bring back the old name, whose file is gone: then they are rebuilt
		s.logger.Warn("the name of the read models in use could not be synced", "error", err)
	}
	s.mu.Lock()
	old := s.current
	s.current, s.reason, s.redecoded = next, "", next.redecoded
	s.mu.Unlock()
	s.retire(old, end)
	return nil
}

// retire closes a generation that is no longer in use once its last reader is done. end, unless nil, is then called
// with its path: it will not be used again.
func (s *Store) retire(f *file, end func(path string)) {
	if f == nil {
		return
	}
	s.retiring.Go(func() {
		defer close(f.retired)
		f.reading.Wait()
		f.readers.Close()
		if end != nil {
			end(f.path)
		}
	})
}

// inUse returns the generation that is read, nil if there is none, and why another must be built, "" if it need not.
func (s *Store) inUse() (current *file, reason string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current, s.reason
}

// drop stops reading f, which is of no use any more, unless another has taken its place already.
func (s *Store) drop(f *file, why error) {
	held, _ := readHolding(context.Background(), f.readers) // a damaged file may not say
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != f {
		return
	}
	end := removeDatabase
	if errors.Is(why, schema.ErrPastEnd) || s.holdsLost(held) {
		end = s.keep
	}
	s.retire(f, end)
	s.current, s.reason, s.dropped = nil, why.Error(), held
	s.status.State = StateRebuilding
	if errors.Is(why, schema.ErrPastEnd) {
		s.status.Torn = why.Error()
	} else {
		s.status.Mended = why.Error()
	}
}

// behind counts the events after seq, up to last: some may be gone.
func (s *Store) behind(seq, last uint64) uint64 {
	if seq >= last {
		return 0
	}
	var gone schema.Gaps
	if s.o.Gaps != nil {
		gone, _ = s.o.Gaps()
	}
	return last - seq - (gone.UpTo(last).Events() - gone.UpTo(seq).Events())
}

// progress notes how far the generation in use is; target is where the log ended when it began to follow.
func (s *Store) progress(seq, target uint64) {
	s.setStatus(func(st *Status) {
		st.Seq, st.Error, st.State = seq, "", StateLive
		if s.behind(seq, target) > 0 {
			st.State = StateCatchingUp
		}
	})
}

func (s *Store) setStatus(set func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.status)
}

// Status reports how far the projections are, and what is gone from the log.
func (s *Store) Status(ctx context.Context) ([]Status, Missing, error) {
	s.mu.RLock()
	status := s.status
	status.Redecoded = s.redecoded
	s.mu.RUnlock()
	if s.log != nil {
		last, err := s.log.Last(ctx)
		if err != nil {
			return nil, Missing{}, err
		}
		status.Lag = s.behind(status.Seq, last)
	}
	m, err := s.missing(ctx)
	if errors.Is(err, ErrRebuilding) { // the file is damaged; what the log knows stands
		err = nil
	}
	return []Status{status}, m, err
}

// Close stops reading. Run must have returned.
func (s *Store) Close() {
	s.mu.Lock()
	s.retire(s.current, nil)
	s.current, s.reason = nil, "the store is closed"
	s.mu.Unlock()
	s.retiring.Wait()
}
