package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/durable"
)

// BuildSide builds the read models as of a moment into a database of its own at path, which must not exist. With
// decode, events are derived again from their original deliveries. It returns the last event that the database holds.
// Only its owner may read the file: it holds all there is to know.
func (s *Store) BuildSide(ctx context.Context, path string, m Moment, decode bool, report func(Progress)) (seq uint64, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s is there already; name another file, or remove it first", path)
	}
	if decode && s.o.Decode == nil {
		return 0, errors.New("this program has no decoders to derive events with")
	}
	ctx, leave, err := s.building.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	dir, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fmt.Errorf("couldn't build beside %s: %w", path, err)
	}
	defer os.RemoveAll(dir)
	b := s.newBuild(filepath.Join(dir, "side.db"), decode, "a database of its own was asked for", report)
	defer b.end()
	to, err := s.resolve(ctx, b, m)
	if err != nil {
		return 0, err
	}
	if err := b.load(ctx, to); err != nil {
		return 0, err
	}
	clock := m.Time
	if clock.IsZero() {
		clock = b.at
	}
	if m.present() {
		clock = s.o.Now()
	}
	if err := standAlone(b.path, schema.At(clock).String()); err != nil {
		return 0, fmt.Errorf("couldn't complete %s: %w", path, err)
	}
	if err := os.Link(b.path, path); err != nil { // unlike a rename, it never takes the place of a file made meanwhile
		return 0, fmt.Errorf("couldn't give the database its name: %w", err)
	}
	return to, durable.SyncDir(filepath.Dir(path))
}

// standAlone makes the database at path one beside which SQLite needs no file; asOf is its clock, "" for the present.
func standAlone(path, asOf string) error {
	db, err := openDatabase(dsn(path, "mode=rw&_journal_mode=DELETE&_synchronous=FULL&_busy_timeout=5000"))
	if err != nil {
		return err
	}
	if asOf != "" {
		var set *statement
		if set, err = db.prepare("UPDATE cursor SET as_of = ?"); err == nil {
			err = set.run(asOf)
		}
	}
	return errors.Join(err, db.close(), os.Chmod(path, 0o600), syncFile(path))
}

// resolve finds the event that a moment ends with, which need not be in the log any more.
func (s *Store) resolve(ctx context.Context, b *build, m Moment) (to uint64, err error) {
	last, err := s.log.Last(ctx)
	switch {
	case err != nil:
		return 0, err
	case !m.Time.IsZero():
		b.aim(PhaseFinding, last)
		return s.lastReceived(ctx, schema.At(m.Time), last)
	case m.present():
		return last, nil
	case m.Seq > last:
		return 0, fmt.Errorf("the log ends at event %d; there is no event %d yet", last, m.Seq)
	}
	return m.Seq, nil
}

// lastReceived returns the last event, in the log's order, that was received no later than t. Imported events keep
// their times, so that a search by halves would not do: every event is looked at.
func (s *Store) lastReceived(ctx context.Context, t schema.Time, last uint64) (uint64, error) {
	found := uint64(0)
	err := s.o.Aside.Read(ctx, 0, last, func(records []schema.Record) error {
		for i := range records {
			e, err := schema.DecodeMeaning(records[i].Data)
			if err == nil && !e.Time.After(t.Time) {
				found = records[i].Seq
			}
		}
		return ctx.Err()
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("no event had been received by %s", t)
	}
	return found, err
}
