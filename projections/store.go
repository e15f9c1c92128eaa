// Package projections folds the log into read models: SQLite tables that answer what the pages and the API ask, and that can be thrown away
// and built again at any time. The cursor moves in the transaction of its effect, so the tables always hold a whole prefix of the log.
package projections

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Log is what the projections need of the log. Follow is called by one goroutine at a time, the others by many.
type Log interface {
	// Follow yields every event after the sequence, in order, until ctx ends or yield fails; schema.ErrPastEnd if the log ends before.
	Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error
	// Last is the sequence of the last event.
	Last(ctx context.Context) (uint64, error)
	// Get is the event with that sequence.
	Get(ctx context.Context, seq uint64) (schema.Record, error)
}

// The states of a projection.
const (
	StateLive       = "live"
	StateCatchingUp = "catching_up"
	StateRebuilding = "rebuilding"
	StateFailed     = "failed"
)

// Under load, from crowd events in a batch on, the next batch gathers for lingerFor; from maxCrowd on there is a backlog to work off.
const (
	crowd     = 32
	maxCrowd  = 2000
	lingerFor = 100 * time.Millisecond
)

// retryAfter is how long the projections wait after a failure before they try again.
const retryAfter = time.Second

// Store is the read models. Run keeps them; everything else reads them, from many goroutines.
type Store struct {
	dir    string
	log    Log
	logger *slog.Logger
	hub    *hub

	mu      sync.RWMutex
	current *file // nil until there is a generation to read
	status  Status
}

// Open opens the read models kept in dir, which is made if it is not there. Reading answers ErrRebuilding until Run has built them.
func Open(dir string, log Log, logger *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the directory of the read models: %w", err)
	}
	s := &Store{dir: dir, log: log, logger: logger, hub: newHub(), status: Status{Name: "read-models", State: StateRebuilding}}
	path, err := readCurrent(dir)
	if err != nil {
		return nil, fmt.Errorf("couldn't read which read models are in use: %w", err)
	}
	if path == "" {
		return s, s.beginEmpty()
	}
	if s.current, err = openFile(path); err != nil {
		logger.Warn("the read models cannot be opened and will be built anew", "file", path, "error", err)
		s.current = nil
	}
	return s, nil
}

// beginEmpty makes the read models of a log without events, which hold everything from the start.
func (s *Store) beginEmpty() error {
	ctx := context.Background()
	last, err := s.log.Last(ctx)
	if err != nil || last > 0 {
		return err
	}
	path, err := createFile(ctx, s.dir)
	if err != nil {
		return err
	}
	return s.use(path)
}

// Run folds the log into the read models until ctx ends. It builds them anew when there are none, when they are damaged, or when the log is
// not the one they were built from; any other failure is tried again.
func (s *Store) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, schema.ErrPastEnd) || isDamage(err) {
			s.logger.Warn("the read models are built anew from the log", "reason", err)
			s.drop()
			continue
		}
		s.setStatus(func(st *Status) { st.State, st.Error = StateFailed, err.Error() })
		s.logger.Error("folding the log failed and is tried again", "error", err, "after", retryAfter)
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// run follows the log into the current generation, or into a new one that takes its place when it has caught up.
func (s *Store) run(ctx context.Context) error {
	path := s.currentPath()
	building := path == ""
	if building {
		var err error
		if path, err = createFile(ctx, s.dir); err != nil {
			return err
		}
		s.setStatus(func(st *Status) { st.State = StateRebuilding })
	}
	w, err := openWriter(path, s.logger)
	if err != nil {
		return err
	}
	defer w.close()
	if err := s.checkCursor(ctx, w); err != nil {
		return err
	}
	target, err := s.log.Last(ctx)
	if err != nil {
		return err
	}
	s.hub.begin(w.seq)
	caughtUp := func() error {
		if !building || w.seq < target {
			return nil
		}
		building = false
		return s.use(path)
	}
	if err := caughtUp(); err != nil {
		return err
	}
	s.progress(w.seq, target, building)
	return s.log.Follow(ctx, w.seq, func(records []schema.Record) error {
		change, err := w.apply(records)
		if err != nil {
			return err
		}
		if err := caughtUp(); err != nil {
			return err
		}
		s.progress(w.seq, target, building)
		s.hub.publish(change)
		return linger(ctx, len(records))
	})
}

// linger lets events gather under load: a transaction of thirty costs nearly what one of three hundred does, and its writes compete with the
// log's syncs for the disk. A lone event is never kept waiting.
func linger(ctx context.Context, records int) error {
	if records < crowd || records >= maxCrowd {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(lingerFor):
		return nil
	}
}

// checkCursor makes sure that the log still has, at the cursor, the event that was read there.
func (s *Store) checkCursor(ctx context.Context, w *writer) error {
	last, err := s.log.Last(ctx)
	if err != nil || w.seq == 0 {
		return err
	}
	if w.seq > last {
		return fmt.Errorf("%w: it ends at %d, before %d", schema.ErrPastEnd, last, w.seq)
	}
	r, err := s.log.Get(ctx, w.seq)
	if err != nil {
		return fmt.Errorf("%w: %w", schema.ErrPastEnd, err)
	}
	if e, err := schema.Decode(r.Data); err == nil && e.ID != w.eventID {
		return fmt.Errorf("%w: at %d it has event %s, not %s", schema.ErrPastEnd, w.seq, e.ID, w.eventID)
	}
	return nil
}

// use makes the generation at path the one that is read, for this process and the next.
func (s *Store) use(path string) error {
	next, err := openFile(path)
	if err != nil {
		return err
	}
	if err := writeCurrent(path); err != nil {
		next.readers.Close()
		return fmt.Errorf("couldn't switch to the new read models: %w", err)
	}
	s.mu.Lock()
	old := s.current
	s.current = next
	s.mu.Unlock()
	if old != nil {
		old.readers.Close()
	}
	if err := removeOthers(path); err != nil {
		s.logger.Warn("old read models could not be removed", "error", err)
	}
	return nil
}

func (s *Store) currentPath() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.current == nil {
		return ""
	}
	return s.current.path
}

// drop stops reading the current generation.
func (s *Store) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.readers.Close()
		s.current = nil
	}
}

func (s *Store) progress(seq, target uint64, building bool) {
	s.setStatus(func(st *Status) {
		st.Seq, st.Error = seq, ""
		switch {
		case building:
			st.State = StateRebuilding
		case seq < target:
			st.State = StateCatchingUp
		default:
			st.State = StateLive
		}
	})
}

func (s *Store) setStatus(set func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.status)
}

// Status is how far the projections are, and which sequences the log has lost.
func (s *Store) Status(ctx context.Context) ([]Status, []Gap, error) {
	last, err := s.log.Last(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.mu.RLock()
	status := s.status
	s.mu.RUnlock()
	if last > status.Seq {
		status.Lag = last - status.Seq
	}
	gaps, err := s.gaps(ctx)
	if errors.Is(err, ErrRebuilding) {
		err = nil
	}
	return []Status{status}, gaps, err
}

// Close stops reading. Run must have returned.
func (s *Store) Close() { s.drop() }

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
