package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// BuildSide builds the read models as of a moment into a database of its own at path, which must not exist. With decode, events are derived anew
// from their original deliveries. It returns the last event that the database holds.
func (s *Store) BuildSide(ctx context.Context, path string, m Moment, decode bool, report func(Progress)) (seq uint64, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s is there already; name another file, or remove it first", path)
	}
	if decode && s.o.Decode == nil {
		return 0, errors.New("this program has no decoders to derive events with")
	}
	if !s.building.TryLock() {
		return 0, ErrBusy
	}
	defer s.building.Unlock()
	b := s.newBuild(path+asideSuffix, decode, "a database of its own was asked for", report)
	removeDatabase(b.path)
	defer func() {
		b.end()
		removeDatabase(b.path)
	}()
	to, at, err := s.resolve(ctx, m)
	if err != nil {
		return 0, err
	}
	if err := b.load(ctx, func(context.Context) (uint64, error) { return to, nil }); err != nil {
		return 0, err
	}
	if err := finishSide(b.path, at); err != nil {
		return 0, fmt.Errorf("couldn't complete %s: %w", path, err)
	}
	if err := os.Link(b.path, path); err != nil { // unlike a rename, it never takes the place of a file made meanwhile
		return 0, fmt.Errorf("couldn't give the database its name: %w", err)
	}
	return to, syncDir(filepath.Dir(path))
}

// finishSide makes the database at path one that stands alone: its clock is at, and SQLite needs no file beside it.
func finishSide(path string, at time.Time) error {
	db, err := openDatabase(dsn(path, "mode=rw&_journal_mode=DELETE&_synchronous=FULL"))
	if err != nil {
		return err
	}
	var set *statement
	if set, err = db.prepare("UPDATE cursor SET as_of = ?"); err == nil {
		err = set.run(schema.At(at).String())
	}
	return errors.Join(err, db.close(), syncFile(path))
}

// resolve finds the last event of a moment and the time that its clock shows.
func (s *Store) resolve(ctx context.Context, m Moment) (to uint64, at time.Time, err error) {
	last, err := s.log.Last(ctx)
	if err != nil {
		return 0, at, err
	}
	if !m.Time.IsZero() {
		to, err = s.lastReceived(ctx, schema.At(m.Time), last)
		return to, m.Time, err
	}
	if m.Seq == 0 {
		return last, s.o.Now(), nil
	}
	if m.Seq > last {
		return 0, at, fmt.Errorf("the log ends at event %d, before %d", last, m.Seq)
	}
	err = followTo(ctx, s.o.Aside, m.Seq-1, m.Seq, func(records []schema.Record) error {
		at = records[0].Time
		if e, err := schema.DecodeMeaning(records[0].Data); err == nil {
			at = e.Time.Time
		}
		return nil
	})
	if err == nil && at.IsZero() {
		err = fmt.Errorf("the log has no event %d any more: it is in a gap", m.Seq)
	}
	return m.Seq, at, err
}

// lastReceived is the last event, in the log's order, that was received no later than t. Imported events keep their times, so that a search by
// halves would not do: every event is looked at.
func (s *Store) lastReceived(ctx context.Context, t schema.Time, last uint64) (uint64, error) {
	found := uint64(0)
	err := followTo(ctx, s.o.Aside, 0, last, func(records []schema.Record) error {
		for i := range records {
			e, err := schema.DecodeMeaning(records[i].Data)
			if err == nil && !e.Time.After(t.Time) {
				found = records[i].Seq
			}
		}
		return nil
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("no event had been received by %s", t)
	}
	return found, err
}
