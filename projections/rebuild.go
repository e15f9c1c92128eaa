package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/certtrail/certtrail/schema"
)

// ErrBusy says that read models are being built already, and one building at a time is enough.
var ErrBusy = errors.New("the read models are being rebuilt or verified already; wait until that is done")

// handover is how many events a new generation may lack when the follower of the old one is stopped for it.
const handover = 1000

// Rebuild builds the read models anew from the first event, and returns when they are read in place of those in use, which answer until then.
// With decode, every event is derived anew from its original delivery; later rebuilds keep to that until one is asked for without.
// report, unless nil, is told of the progress. It returns the last event that they held then. Only one building runs at a time: ErrBusy.
func (s *Store) Rebuild(ctx context.Context, decode bool, report func(Progress)) (seq uint64, err error) {
	if decode && s.o.Decode == nil {
		return 0, errors.New("this program has no decoders to derive events with")
	}
	return s.rebuild(ctx, decode, "it was asked for", report)
}

func (s *Store) rebuild(ctx context.Context, decode bool, reason string, report func(Progress)) (seq uint64, err error) {
	if !s.building.TryLock() {
		return 0, ErrBusy
	}
	defer s.building.Unlock()
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil { // it may have been deleted with the files in it
		return 0, fmt.Errorf("couldn't make the directory of the read models: %w", err)
	}
	g, err := next(s.o.Dir, decode)
	if err != nil {
		return 0, fmt.Errorf("couldn't look for the read models in %s: %w", s.o.Dir, err)
	}
	b := s.newBuild(filepath.Join(s.o.Dir, g.String()), decode, reason, report)
	defer func() {
		b.end()
		if err != nil { // a crash leaves it to the next start
			removeDatabase(b.path)
		}
	}()
	s.logger.Info("building the read models from the log", "reason", reason, "file", g.String())
	if err := b.load(ctx, s.log.Last); err != nil {
		return 0, err
	}
	if err := s.takeOver(ctx, b); err != nil {
		return 0, err
	}
	s.logger.Info("the read models are built", "file", g.String(), "events", b.seq, "took", s.o.Now().Sub(b.began))
	return b.seq, nil
}

// Forget builds the read models anew after a person's key was destroyed, and returns when those are in use, in which nothing of the person is left. It
// waits for a building under way, which may have opened what cannot be opened any more. The file of the read models before is removed; databases that
// BuildSide made stay as they are.
func (s *Store) Forget(ctx context.Context, report func(Progress)) (seq uint64, err error) {
	for {
		seq, err = s.rebuild(ctx, s.asBefore(), "a person was forgotten", report)
		if !errors.Is(err, ErrBusy) {
			return seq, err
		}
		if pause(ctx, watchEvery); ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
}

// takeOver puts what b has built in the place of the generation in use. Ingest and pages go on; only the folding of events into the old one pauses
// for the last few.
func (s *Store) takeOver(ctx context.Context, b *build) error {
	if err := b.catchUp(ctx, s.log.Last, handover); err != nil {
		return err
	}
	defer s.baton.take()()
	if err := b.catchUp(ctx, s.log.Last, 0); err != nil {
		return err
	}
	if err := b.settle(); err != nil {
		return err
	}
	// COMMIT C. The pointer is renamed to the new file, which is whole and synced. A crash before it leaves the old file in use and the new one
	// to be removed at the next start; after it the old one.
	if err := s.use(b.path); err != nil {
		return err
	}
	s.hub.begin(b.seq)
	s.progress(b.seq, b.seq)
	return nil
}

// build is a database that is being built from the log beside the one in use. It owns the store's Aside log.
type build struct {
	s    *Store
	path string
	mean meaning

	*progressing
	seq uint64  // the last event it holds
	w   *writer // once it is caught up event by event
}

func (s *Store) newBuild(path string, decode bool, reason string, report func(Progress)) *build {
	return &build{s: s, path: path, mean: s.meaningFor(decode), progressing: s.newProgressing(reason, report)}
}

// end closes what is open, and shows no progress any more.
func (b *build) end() {
	if b.w != nil {
		b.w.close()
		b.w = nil
	}
	b.progressing.done()
}

// load reads the log from the first event to where it ends now, in bulk: no journal, rows held in memory and written once they are left alone,
// indexes last.
func (b *build) load(ctx context.Context, end func(context.Context) (uint64, error)) error {
	to, err := end(ctx)
	if err != nil {
		return err
	}
	b.aim(PhaseReading, to)
	if err := create(ctx, b.path, "_journal_mode=OFF&_synchronous=OFF", false); err != nil {
		return err
	}
	w, err := openWriter(b.path, true, b.s.logger)
	if err != nil {
		return err
	}
	defer w.close()
	err = readAhead(func(yield func([]schema.Record) error) error {
		return followTo(ctx, b.s.o.Aside, 0, to, yield)
	}, b.mean, func(part []entry) error {
		if _, err := w.apply(part); err != nil {
			return err
		}
		b.seq = w.seq
		b.at(w.seq)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	b.aim(PhaseIndexing, to)
	b.at(to)
	return w.finish(ctx)
}

// catchUp follows the log until at most behind events are missing.
func (b *build) catchUp(ctx context.Context, end func(context.Context) (uint64, error), behind uint64) error {
	if b.w == nil {
		w, err := openWriter(b.path, false, b.s.logger)
		if err != nil {
			return err
		}
		b.w = w
	}
	for {
		to, err := end(ctx)
		if err != nil {
			return err
		}
		if to <= b.w.seq+behind {
			b.seq = b.w.seq
			return nil
		}
		b.aim(PhaseCatchingUp, to)
		err = followTo(ctx, b.s.o.Aside, b.w.seq, to, func(records []schema.Record) error {
			_, err := b.w.apply(entries(records, b.mean))
			b.at(b.w.seq)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// settle makes durable all that was built, in one file.
func (b *build) settle() error {
	err := b.w.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	err = errors.Join(err, b.w.close())
	b.w = nil
	return errors.Join(err, syncFile(b.path), syncDir(filepath.Dir(b.path)))
}

// errReached ends a follower that has come as far as it should.
var errReached = errors.New("the event was reached")

// followTo yields the events after `after` up to `to`, both of which may be missing from the log.
func followTo(ctx context.Context, l Log, after, to uint64, yield func([]schema.Record) error) error {
	if after >= to {
		return nil
	}
	err := l.Follow(ctx, after, func(records []schema.Record) error {
		n := len(records)
		for n > 0 && records[n-1].Seq > to {
			n--
		}
		if n > 0 {
			if err := yield(records[:n]); err != nil {
				return err
			}
		}
		if records[len(records)-1].Seq >= to {
			return errReached
		}
		return nil
	})
	if errors.Is(err, errReached) {
		return nil
	}
	return err
}

// removeDatabase deletes the database at path with what SQLite keeps beside it.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		os.Remove(path + suffix) // what is left is removed at the next start
	}
}
