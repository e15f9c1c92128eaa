package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"github.com/certtrail/certtrail/schema"
)

// writer folds events into one generation. There is one per file, used by one goroutine.
type writer struct {
	db     *database
	models map[string]rows
	words  map[string]any
	bulk   bool // the file is thrown away if this does not end well, and has no indexes yet

	seq     uint64 // the cursor
	eventID string

	timeline                                          *inserter
	insertQuarantine, insertGap, insertSeen, findSeen *statement
	addTraffic, moveCursor, findCursor                *statement
}

// rows work on one read model, as the writer needs them whatever their state is made of.
type rows interface {
	// fold works out what the row becomes by e. Nothing changes until take keeps it, or leaveOut does not: an event is
	// taken whole or not at all.
	fold(provider, id string, seq uint64, e *schema.Event) error
	take()
	leaveOut()
	// flush writes each row that has changed since the last flush once.
	flush() error
	// forget drops what is held in memory, after a failed transaction.
	forget()
	// finish writes all that is held, at the end of a bulk load; dropNames completes it once there are indexes.
	finish() error
	dropNames() error
	// hold makes it hold so many rows between batches.
	hold(most int)
}

// How a writer opens its file. A bulk load needs no journal, since a file that was not finished is thrown away. The
// page cache of one that follows the log fills within the hour and stays; beyond 16 MiB it takes no time off, even
// where events come for orders at random.
const (
	liveOptions = "mode=rw&_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_cache_size=-16384"
	bulkOptions = "mode=rw&_journal_mode=OFF&_synchronous=OFF&_busy_timeout=5000&_cache_size=-32768"
)

func openWriter(path string, bulk bool) (w *writer, err error) {
	options := liveOptions
	if bulk {
		options = bulkOptions
	}
	db, err := openDatabase(dsn(path, options))
	if err != nil {
		return nil, err
	}
	w = &writer{db: db, words: map[string]any{}, bulk: bulk}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err = w.exec("PRAGMA wal_autocheckpoint = 10000"); err != nil {
		return nil, err
	}
	for stmt, text := range map[**statement]string{
		&w.insertQuarantine: "INSERT OR IGNORE INTO quarantine (seq, time, provider, reason, original) VALUES (?, ?, ?, ?, ?)",
		&w.insertGap:        "INSERT OR IGNORE INTO gaps (first_seq, last_seq) VALUES (?, ?)",
		&w.insertSeen:       "INSERT OR IGNORE INTO seen (event_id) VALUES (?)",
		&w.findSeen:         "SELECT count(*) FROM seen WHERE event_id = ?",
		&w.addTraffic:       addTraffic,
		&w.moveCursor:       "UPDATE cursor SET seq = ?, event_id = ?",
		&w.findCursor:       "SELECT seq, event_id FROM cursor",
	} {
		if *stmt, err = db.prepare(text); err != nil {
			return nil, err
		}
	}
	if w.timeline, err = db.inserter("timeline (model, provider, id, seq, time, type, facts)", 7); err != nil {
		return nil, err
	}
	if w.models, err = prepareModels(db, bulk); err != nil {
		return nil, err
	}
	if err = w.readCursor(); err == nil && bulk {
		db.writeBehind()
	}
	return w, err
}

// hold makes the writer hold so many rows of each model between batches.
func (w *writer) hold(most int) {
	for _, set := range w.models {
		set.hold(most)
	}
}

func prepareModels(db *database, bulk bool) (map[string]rows, error) {
	all := map[string]rows{}
	for _, m := range models {
		set, err := m.prepare(db, bulk)
		if err != nil {
			return nil, err
		}
		all[m.About().Name] = set
	}
	return all, nil
}

func (w *writer) readCursor() error {
	err := w.findCursor.row([]any{&w.seq, &w.eventID})
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: its cursor is gone", errDamaged)
	}
	return err
}

func (w *writer) close() error { return w.db.close() }

// apply folds the entries into the rows they concern and moves the cursor past them, all in one transaction.
func (w *writer) apply(list []entry) (Change, error) {
	b := batch{w: w, keys: map[Key]bool{}, tally: tally{}}
	// COMMIT B. The rows and the cursor become visible together. A crash before it repeats the batch from the old
	// cursor; after it there is nothing to do.
	if err := w.transaction(func() error { return b.apply(list) }); err != nil {
		w.timeline.forget()
		for _, m := range w.models {
			m.forget()
		}
		return Change{}, errors.Join(err, w.readCursor())
	}
	return b.change, nil
}

// finish ends a bulk load: what is held in memory is written, then the indexes.
func (w *writer) finish(ctx context.Context, rest func(context.Context) error) error {
	err := w.transaction(func() error {
		for _, m := range w.models {
			if err := m.finish(); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, w.db.stopBehind()); err != nil {
		return err
	}
	// The sorter may use other processors, but for the one that everything else needs.
	threads := strconv.Itoa(max(0, runtime.NumCPU()-2))
	if err := w.exec("PRAGMA threads = " + threads); err != nil {
		return err
	}
	for _, index := range indexes() {
		if err := w.db.exec(ctx, index); err != nil {
			return fmt.Errorf("couldn't make the indexes of the read models: %w", err)
		}
		if err := rest(ctx); err != nil {
			return err
		}
	}
	return w.transaction(func() error {
		for _, m := range w.models {
			if err := m.dropNames(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) transaction(do func() error) error {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.exec("ROLLBACK")
	}
	return err
}

func (w *writer) exec(statement string) error { return w.db.exec(context.Background(), statement) }

// batch holds one transaction of a writer.
type batch struct {
	w      *writer
	keys   map[Key]bool
	tally  tally
	change Change
}

func (b *batch) apply(list []entry) error {
	for i := range list {
		if err := b.entry(&list[i]); err != nil {
			return err
		}
	}
	if err := b.w.timeline.flush(); err != nil {
		return err
	}
	if err := b.tally.flush(b.w.addTraffic); err != nil {
		return err
	}
	for _, m := range b.w.models {
		if err := m.flush(); err != nil {
			return err
		}
	}
	b.change.Seq = b.w.seq
	return b.w.moveCursor.run(b.w.seq, b.w.eventID)
}

func (b *batch) entry(n *entry) error {
	r := n.record
	if r.Seq <= b.w.seq {
		return nil // repeated by the log's reader
	}
	if r.Missing > 0 {
		if err := b.w.insertGap.run(r.Seq-r.Missing, r.Seq-1); err != nil {
			return err
		}
	}
	b.w.seq, b.w.eventID = r.Seq, ""
	if n.event == nil {
		return b.park(n, n.parked)
	}
	b.w.eventID = n.event.ID
	b.tally.add(n.event)
	if n.event.TrulyIdentified() {
		if known, err := b.seen(n.event.ID); known || err != nil {
			return err
		}
	}
	if n.parked != nil {
		return b.park(n, n.parked)
	}
	return b.fold(n)
}

func (b *batch) seen(id string) (bool, error) {
	var n int
	if err := b.w.findSeen.row([]any{&n}, id); err != nil || n > 0 {
		return n > 0, err
	}
	return false, b.w.insertSeen.run(id)
}

// fold folds the event into every row it concerns, or into none: one that a fold cannot take is parked, and its rows
// stay as they were.
func (b *batch) fold(n *entry) error {
	e, seq := n.event, n.record.Seq
	provider := e.Data.Provider
	for _, row := range n.rows {
		if err := b.w.models[row.Model].fold(provider, row.ID, seq, e); err != nil {
			for _, row := range n.rows {
				b.w.models[row.Model].leaveOut()
			}
			var unfoldable *foldError
			if errors.As(err, &unfoldable) {
				return b.park(n, err)
			}
			return err
		}
	}
	for _, row := range n.rows {
		b.w.models[row.Model].take()
		b.touch(Key{row.Model, provider, row.ID})
		if err := b.w.timeline.add(b.w.word(row.Model), b.w.word(provider), row.ID, int64(seq), n.time, b.w.word(e.Type), n.facts); err != nil {
			return err
		}
	}
	return nil
}

// wordsHeld bounds how many words a writer holds.
const wordsHeld = 1000

// word makes s, which comes again and again, an argument of a statement: one in memory for all of them.
func (w *writer) word(s string) any {
	v, ok := w.words[s]
	if !ok {
		v = s
		if len(w.words) < wordsHeld {
			w.words[s] = v
		}
	}
	return v
}

// park keeps an event that changes no row, with its delivery, where people see it.
func (b *batch) park(n *entry, why error) error {
	r := n.record
	at, provider, delivery := schema.At(r.Time), "", (*schema.Original)(nil)
	if whole, err := schema.Decode(r.Data); err == nil {
		at, provider, delivery = whole.Time, whole.Data.Provider, whole.Data.Original
	}
	original, err := originalText(delivery, r.Data)
	if err != nil {
		return err
	}
	b.touch(Key{"quarantine", provider, strconv.FormatUint(r.Seq, 10)})
	return b.w.insertQuarantine.run(r.Seq, at.String(), provider, why.Error(), original)
}

// touch notes that a row changed, for those who watch.
func (b *batch) touch(k Key) {
	if !b.w.bulk && !b.keys[k] {
		b.keys[k] = true
		b.change.Rows = append(b.change.Rows, k)
	}
}
