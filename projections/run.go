package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Under load, from crowd events in a batch on, the next batch gathers for lingerFor; from maxCrowd on there is a
// backlog to work off.
const (
	crowd     = 32
	maxCrowd  = 2000
	lingerFor = 100 * time.Millisecond
)

const (
	retryAfter = time.Second            // how long the projections wait after a failure before they try again
	watchEvery = 250 * time.Millisecond // how often the file in use is looked at: it may have been deleted or cut off
)

// Run folds the log into the read models until ctx ends. It rebuilds them when there are none, when they are damaged or
// of another version, or when the log is not the one they were built from; any other failure is tried again.
func (s *Store) Run(ctx context.Context) {
	var renewing sync.WaitGroup
	defer renewing.Wait()
	renewing.Go(func() { s.tend(ctx) })
	if current, reason := s.inUse(); current != nil && reason != "" {
		renewing.Go(func() { s.renew(ctx) })
	}
	for ctx.Err() == nil {
		current, err := s.turn(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if current != nil && (errors.Is(err, schema.ErrPastEnd) || isDamage(err, current.path)) {
			s.logger.Warn("rebuilding the read models from the log", "reason", err)
			s.drop(current, err)
			continue
		}
		if isConflict(err) {
			s.suspect(current, err)
		}
		s.setStatus(func(st *Status) { st.State, st.Error = StateFailed, err.Error() })
		s.logger.Error("folding the log failed; trying again", "error", err, "after", retryAfter)
		pause(ctx, retryAfter)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// renew builds a generation that takes the place of one that can be read meanwhile, and tries until it has.
func (s *Store) renew(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.rebuildUnlessDone(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.logger.Error("rebuilding the read models failed; trying again", "error", err, "after", retryAfter)
		pause(ctx, retryAfter)
	}
}

// rebuildUnlessDone builds the read models because they must be: what is built for another reason is ended. Meanwhile
// somebody may have built them.
func (s *Store) rebuildUnlessDone(ctx context.Context) error {
	leave, err := s.building.claim(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, reason := s.inUse(); reason != "" {
		_, err = s.rebuild(ctx, s.areRedecoded(), reason, s.keep, nil)
	}
	return err
}

func (s *Store) areRedecoded() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.redecoded
}

// turn builds the generation in use if there is none, or follows the log into it until it has to stop. An error is
// about current, unless that is nil.
func (s *Store) turn(ctx context.Context) (current *file, err error) {
	if current, _ = s.inUse(); current == nil {
		return nil, s.rebuildUnlessDone(ctx)
	}
	following, release := s.baton.follow(ctx)
	defer release()
	if current, _ = s.inUse(); current == nil {
		return nil, nil
	}
	err = s.follow(following, current)
	if following.Err() != nil {
		err = nil
	}
	return current, err
}

// follow follows the log into the generation.
func (s *Store) follow(ctx context.Context, f *file) error {
	w, err := openWriter(f.path, false)
	if err != nil {
		return err
	}
	defer w.close()
	if err := s.checkCursor(ctx, w.seq, w.eventID); err != nil {
		return err
	}
	target, err := s.log.Last(ctx)
	if err != nil {
		return err
	}
	s.hub.begin(w.seq)
	s.progress(w.seq, target)
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { cancel(f.watch(ctx)) })
	defer watching.Wait()
	defer cancel(nil)
	mean := s.meaningFor(f.redecoded)
	err = s.log.Follow(ctx, w.seq, func(records []schema.Record) error {
		change, err := w.apply(entries(records, mean))
		if err != nil {
			return err
		}
		s.progress(w.seq, target)
		s.hub.publish(change)
		return linger(ctx, len(records))
	})
	if cause := context.Cause(ctx); errors.Is(cause, errDamaged) {
		return cause
	}
	return err
}

// watch returns errDamaged once the file is not the one that was opened, has become shorter, or was found damaged by a
// reader.
func (f *file) watch(ctx context.Context) error {
	opened, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for size, index := opened.Size(), sizeOf(f.path+indexSuffix); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-f.damaged:
			return fmt.Errorf("%w: a reader found it so", errDamaged)
		case <-tick.C:
		}
		now, err := os.Stat(f.path)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", errDamaged, err)
		case !os.SameFile(opened, now):
			return fmt.Errorf("%w: another has taken its place", errDamaged)
		case now.Size() < size:
			return fmt.Errorf("%w: it was cut off from %d bytes to %d", errDamaged, size, now.Size())
		}
		size = now.Size()
		before := index
		if index = sizeOf(f.path + indexSuffix); index < before {
			// It is mapped, and whoever touches what was cut off ends the process: so that much is put there again
			// before anything is read.
			return errors.Join(fmt.Errorf("%w: its index of the write-ahead log was cut off", errDamaged), os.Truncate(f.path+indexSuffix, before))
		}
	}
}

// indexSuffix ends the name of the file by which connections find what is not in the database itself yet.
const indexSuffix = "-shm"

// linger lets events gather under load: a transaction of thirty costs nearly what one of three hundred does, and its
// writes compete with the log's syncs for the disk. A lone event is never kept waiting.
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

// isGone reports whether the log knows that it has lost the event with that sequence.
func (s *Store) isGone(seq uint64) bool {
	if s.o.Gaps == nil {
		return false
	}
	gone, _ := s.o.Gaps()
	_, ok := gone.At(seq)
	return ok
}

// checkCursor makes sure that the log still has, at the cursor, the event that was read there.
func (s *Store) checkCursor(ctx context.Context, seq uint64, eventID string) error {
	last, err := s.log.Last(ctx)
	if err != nil || seq == 0 {
		return err
	}
	if seq > last {
		return fmt.Errorf("%w: it ends at %d, before %d", schema.ErrPastEnd, last, seq)
	}
	if s.isGone(seq) { // the event was folded while it was there, and its number is nobody else's
		return nil
	}
	r, err := s.log.Get(ctx, seq)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", schema.ErrPastEnd, err)
	}
	if err != nil {
		return err
	}
	if e, err := schema.Decode(r.Data); err == nil && e.ID != eventID {
		return fmt.Errorf("%w: at %d it has event %s, not %s", schema.ErrPastEnd, seq, e.ID, eventID)
	}
	return nil
}
