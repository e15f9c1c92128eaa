package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/durable"
)

// ErrBusy says that read models are being built already, and one building at a time is enough.
var ErrBusy = errors.New("the read models are being rebuilt or verified already; wait until that is done")

// handover bounds how many events may come during a round of catching up that is the last before the follower is
// stopped.
const handover = 1000

// Rebuilt reports the result of a rebuild.
type Rebuilt struct {
	Seq  uint64      // the last event that the read models held when they were built
	Gone schema.Gaps // what those before held, and these do not: it is gone from the log
}

// Rebuild builds the read models again from the first event, and returns when they are read in place of those in use,
// which answer until then. With decode, every event is derived again from its original delivery; later rebuilds keep to
// that until one is asked for without. report, unless nil, is told of the progress. Only one building runs at a time:
// ErrBusy.
func (s *Store) Rebuild(ctx context.Context, decode bool, report func(Progress)) (r Rebuilt, err error) {
	if decode && s.o.Decode == nil {
		return r, errors.New("this program has no decoders to derive events with")
	}
	ctx, leave, err := s.building.acquire(ctx)
	if err != nil {
		return r, err
	}
	defer leave()
	return s.rebuild(ctx, decode, "it was asked for", s.keep, report)
}

// rebuild builds the read models, for whoever holds the lock to build. replaced is for the generation before, if it
// holds what the new one lacks.
func (s *Store) rebuild(ctx context.Context, decode bool, reason string, replaced func(path string), report func(Progress)) (r Rebuilt, err error) {
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil { // it may have been deleted with the files in it
		return r, fmt.Errorf("couldn't make the directory of the read models: %w", err)
	}
	g := s.next(decode)
	b := s.newBuild(filepath.Join(s.o.Dir, g.String()), decode, reason, report)
	b.replaced = replaced
	defer func() {
		b.end()
		if err != nil { // a crash leaves it to the next start
			removeDatabase(b.path)
			s.logger.Warn("the read models were not built", "file", g.String(), "events", b.seq, "error", err)
		}
	}()
	s.logger.Info("building the read models from the log", "reason", reason, "file", g.String())
	to, err := s.log.Last(ctx)
	if err != nil {
		return r, err
	}
	if err := b.load(ctx, to); err != nil {
		return r, err
	}
	gone, err := s.takeOver(ctx, b)
	if err != nil {
		return r, err
	}
	s.logger.Info("the read models are built", "file", g.String(), "events", b.seq, "took", s.o.Now().Sub(b.began))
	return Rebuilt{b.seq, gone}, nil
}

// Forget rebuilds the read models after a person's key was destroyed, and returns when those are in use, in which
// nothing of the person is left. It ends what is being built otherwise, which may have opened what cannot be opened any
// more. The file of the read models before is removed; databases that BuildSide made stay as they are.
func (s *Store) Forget(ctx context.Context, report func(Progress)) (seq uint64, err error) {
	leave, err := s.building.claim(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	before, _ := s.inUse()
	if err := s.Settle(ctx); err != nil { // the person is in what was kept, too
		return 0, err
	}
	r, err := s.rebuild(ctx, s.areRedecoded(), "a person was forgotten", removeDatabase, report)
	if err != nil || before == nil {
		return r.Seq, err
	}
	select {
	case <-before.retired:
		return r.Seq, nil
	case <-ctx.Done():
		return r.Seq, ctx.Err()
	}
}

// AcceptLosses settles all that the log lost, once an operator has accepted it: read models that still hold some of it
// are built again without it, and those that were kept for it are removed.
func (s *Store) AcceptLosses(ctx context.Context, report func(Progress)) error {
	if err := s.Settle(ctx); err != nil {
		return err
	}
	held, err := s.heldOfGaps(ctx)
	if err != nil || len(held) == 0 {
		return err
	}
	leave, err := s.building.claim(ctx)
	if err != nil {
		return err
	}
	defer leave()
	_, err = s.rebuild(ctx, s.areRedecoded(), "what the log lost is accepted", removeDatabase, report)
	return err
}

// takeOver puts what b has built in the place of the generation in use. Ingest and pages go on; only the folding of
// events into the old one pauses for the last few: those it holds, so that no page goes back. The follower goes on from
// there with the new one. It returns what only the old one held.
func (s *Store) takeOver(ctx context.Context, b *build) (gone schema.Gaps, err error) {
	if err := b.catchUp(ctx, s.log.Last); err != nil {
		return nil, err
	}
	defer s.baton.take()()
	to, err := s.held(ctx)
	if errors.Is(err, ErrRebuilding) {
		to, err = s.log.Last(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := b.reach(ctx, to); err != nil {
		return nil, err
	}
	if err := b.settle(); err != nil {
		return nil, err
	}
	if err := b.name(); err != nil {
		return nil, err
	}
	if gone, err = s.goneFrom(ctx, b.path); err != nil {
		return nil, err
	}
	// COMMIT C. The pointer is renamed to the new file, which is whole and synced. A crash before it leaves the old
	// file in use and the new one to be removed at the next start; after it the old one.
	end := removeDatabase
	if len(gone) > 0 {
		end = b.replaced
	}
	if err := s.use(b.path, end); err != nil {
		return nil, err
	}
	s.hub.begin(b.seq)
	s.progress(b.seq, b.seq)
	if n := gone.Events(); n > 0 {
		s.logger.Warn("the read models lost what they still held of events that are gone from the log; see the operating guide on gaps", "events", n, "sequences", gone)
	}
	return gone, nil
}

// build holds a database that is being built from the log beside the one in use.
type build struct {
	s    *Store
	path string
	mean meaning

	redecoded bool // what mean does

	*progressMeter
	seq uint64    // the last event it holds
	at  time.Time // when that was received
	w   *writer   // once it is caught up event by event

	pace *pace // nil: it is waited for

	replaced func(path string) // what becomes of the generation before, if it holds what this one lacks
}

// rest lets others go first after a part of the work.
func (b *build) rest(ctx context.Context) error {
	if b.pace != nil {
		return b.pace.rest(ctx)
	}
	b.s.GiveWay(ctx)
	return ctx.Err()
}

func (s *Store) newBuild(path string, decode bool, reason string, report func(Progress)) *build {
	return &build{s: s, path: path, mean: s.meaningFor(decode), redecoded: decode, progressMeter: s.newProgressMeter(reason, report)}
}

// end closes what is open, and shows no progress any more.
func (b *build) end() {
	if b.w != nil {
		b.w.close()
		b.w = nil
	}
	b.progressMeter.done()
}

// load reads the log up to the event `to` in bulk: no journal, rows held in memory and written once they are left
// alone, indexes last.
func (b *build) load(ctx context.Context, to uint64) error {
	if b.pace == nil {
		defer b.s.o.Building()()
		defer syncBehind(b.path)()
	}
	b.aim(PhaseReading, to)
	if err := create(ctx, b.path, "_journal_mode=OFF&_synchronous=OFF", false); err != nil {
		return err
	}
	w, err := openWriter(b.path, true)
	if err != nil {
		return err
	}
	defer w.close()
	if b.pace == nil {
		w.hold(rowsHeldInBulk)
	}
	err = readAhead(func(yield func([]schema.Record) error) error {
		return b.s.o.Aside.Read(ctx, 0, to, yield)
	}, b.mean, func(part []entry) error {
		if _, err := w.apply(part); err != nil {
			return err
		}
		b.note(w, part)
		return b.rest(ctx)
	})
	if err != nil {
		return err
	}
	b.aim(PhaseIndexing, to)
	b.reached(to)
	return w.finish(ctx, b.rest)
}

// syncEvery sets how often what a bulk load has written goes to the disk: all at once at the end, it would hold up the
// log's own syncs.
const syncEvery = 250 * time.Millisecond

// syncBehind has what is written to the file at path brought to the disk bit by bit, until stop is called. Whether it
// is there is settled at the end.
func syncBehind(path string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var syncing sync.WaitGroup
	syncing.Go(func() {
		for pause(ctx, syncEvery); ctx.Err() == nil; pause(ctx, syncEvery) {
			syncFile(path)
		}
	})
	return func() { cancel(); syncing.Wait() }
}

// giveWayMost bounds how long a building, or whoever else has long work, waits for readers after each of its parts.
const giveWayMost = 25 * time.Millisecond

// GiveWay lets those go first who wait for an answer, whom long work would keep from the processors.
func (s *Store) GiveWay(ctx context.Context) {
	for waited := time.Duration(0); (s.active.Load() > 0 || s.o.Busy()) && waited < giveWayMost; waited += time.Millisecond {
		pause(ctx, time.Millisecond)
	}
}

// note keeps in mind how far w is after the entries.
func (b *build) note(w *writer, list []entry) {
	last := &list[len(list)-1]
	b.seq, b.at = w.seq, last.record.Time
	if last.event != nil {
		b.at = last.event.Time.Time
	}
	b.reached(w.seq)
}

// catchUp follows where the log ends until few events are missing.
func (b *build) catchUp(ctx context.Context, end func(context.Context) (uint64, error)) error {
	for {
		to, err := end(ctx)
		if err != nil {
			return err
		}
		before := b.seq
		if err := b.reach(ctx, to); err != nil {
			return err
		}
		if b.seq-before <= handover { // also when the log's end is lost, and nothing more comes
			return nil
		}
	}
}

// reach folds the events up to `to` in ordinary transactions.
func (b *build) reach(ctx context.Context, to uint64) error {
	if b.w == nil {
		w, err := openWriter(b.path, false)
		if err != nil {
			return err
		}
		b.w = w
	}
	if to <= b.w.seq {
		return nil
	}
	b.aim(PhaseCatchingUp, to)
	return b.s.o.Aside.Read(ctx, b.w.seq, to, func(records []schema.Record) error {
		list := entries(records, b.mean)
		if _, err := b.w.apply(list); err != nil {
			return err
		}
		b.note(b.w, list)
		return ctx.Err()
	})
}

// settle makes durable all that was built, in one file.
func (b *build) settle() error {
	err := b.w.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	err = errors.Join(err, b.w.close())
	b.w = nil
	return errors.Join(err, syncFile(b.path), durable.SyncDir(filepath.Dir(b.path)))
}

// name gives the database the name of a generation, if it has another as long as nobody knew whether it would be one.
func (b *build) name() error {
	if !strings.HasSuffix(b.path, asideSuffix) {
		return nil
	}
	path := filepath.Join(b.s.o.Dir, b.s.next(b.redecoded).String())
	if err := os.Rename(b.path, path); err != nil {
		return err
	}
	b.path = path
	return durable.SyncDir(b.s.o.Dir)
}

// removeDatabase deletes the database at path with what SQLite keeps beside it.
func removeDatabase(path string) {
	for _, suffix := range besides {
		os.Remove(path + suffix) // what is left is removed at the next start
	}
}
