package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// writer folds events into one generation. There is one per file, used by one goroutine.
type writer struct {
	db     *sql.DB
	conn   *sql.Conn
	logger *slog.Logger
	models map[string]rows

	seq     uint64 // the cursor
	eventID string

	insertTimeline, insertTimelines                               *sql.Stmt // one entry; timelinesAtOnce
	insertQuarantine, insertGap, insertSeen, findSeen, moveCursor *sql.Stmt
}

// A statement for many entries costs little more than one for a single entry, and the timeline is most of what is written.
const (
	timelinesAtOnce = 32
	timelineSQL     = "INSERT OR IGNORE INTO timeline (model, provider, id, seq, time, type, summary) VALUES (?, ?, ?, ?, ?, ?, ?)"
	timelineColumns = 7
)

// rows are the rows of one read model, as the writer needs them whatever their state is made of.
type rows interface {
	// fold is what the row becomes by e; take keeps it. Nothing changes until then, so that an event is taken whole or not at all.
	fold(provider, id string, seq uint64, e *schema.Event) (take func(), err error)
	// flush writes each row that has changed since the last flush once.
	flush() error
	// forget drops what is held in memory, after a failed transaction.
	forget()
}

func openWriter(path string, logger *slog.Logger) (w *writer, err error) {
	db, err := sql.Open("sqlite3", dsn(path, "mode=rw&_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_cache_size=-65536"))
	if err != nil {
		return nil, err
	}
	w = &writer{db: db, logger: logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	ctx := context.Background() // no deadline: a context that can end costs a goroutine each statement
	if w.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	if _, err = w.conn.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 10000"); err != nil {
		return nil, err
	}
	for stmt, text := range map[**sql.Stmt]string{
		&w.insertTimeline:   timelineSQL,
		&w.insertTimelines:  timelineSQL + strings.Repeat(", (?, ?, ?, ?, ?, ?, ?)", timelinesAtOnce-1),
		&w.insertQuarantine: "INSERT OR IGNORE INTO quarantine (seq, time, provider, reason, original) VALUES (?, ?, ?, ?, ?)",
		&w.insertGap:        "INSERT OR IGNORE INTO gaps (first_seq, last_seq) VALUES (?, ?)",
		&w.insertSeen:       "INSERT OR IGNORE INTO seen (event_id) VALUES (?)",
		&w.findSeen:         "SELECT count(*) FROM seen WHERE event_id = ?",
		&w.moveCursor:       "UPDATE cursor SET seq = ?, event_id = ?",
	} {
		if *stmt, err = w.conn.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	if w.models, err = prepareModels(w.conn); err != nil {
		return nil, err
	}
	return w, w.readCursor()
}

func prepareModels(conn *sql.Conn) (map[string]rows, error) {
	models := map[string]rows{}
	err := errors.Join(
		prepare(models, conn, orders), prepare(models, conn, certificates), prepare(models, conn, domains), prepare(models, conn, dnssecs),
		prepare(models, conn, organizations), prepare(models, conn, websites), prepare(models, conn, accounts))
	return models, err
}

func prepare[S, T any](models map[string]rows, conn *sql.Conn, t *table[S, T]) error {
	set, err := newRowSet(conn, t)
	models[t.name] = set
	return err
}

func (w *writer) readCursor() error {
	return w.conn.QueryRowContext(context.Background(), "SELECT seq, event_id FROM cursor").Scan(&w.seq, &w.eventID)
}

func (w *writer) close() error {
	if w.conn != nil {
		w.conn.Close()
	}
	return w.db.Close()
}

// apply folds the records into the rows they concern and moves the cursor past them, all in one transaction.
func (w *writer) apply(records []schema.Record) (Change, error) {
	b := batch{w: w, keys: map[Key]bool{}}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return Change{}, err
	}
	err := b.apply(records)
	if err == nil {
		// COMMIT B. The rows and the cursor become visible together. A crash before it repeats the batch from the old cursor; after it there is nothing to do.
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.exec("ROLLBACK")
		for _, m := range w.models {
			m.forget()
		}
		return Change{}, errors.Join(err, w.readCursor())
	}
	return b.change, nil
}

func (w *writer) exec(statement string) error {
	_, err := w.conn.ExecContext(context.Background(), statement)
	return err
}

// batch is one transaction of a writer.
type batch struct {
	w      *writer
	keys   map[Key]bool
	change Change

	timeline []any // the values of entries not yet written
}

func (b *batch) apply(records []schema.Record) error {
	for i := range records {
		if err := b.record(&records[i]); err != nil {
			return err
		}
	}
	if err := b.writeTimeline(1); err != nil {
		return err
	}
	for _, m := range b.w.models {
		if err := m.flush(); err != nil {
			return err
		}
	}
	b.change.Seq = b.w.seq
	_, err := b.w.moveCursor.Exec(b.w.seq, b.w.eventID)
	return err
}

func (b *batch) record(r *schema.Record) error {
	if r.Seq <= b.w.seq {
		return nil // repeated by the log's reader
	}
	if r.Missing > 0 {
		b.w.logger.Error("events are gone from the log; see the operating guide on gaps", "first_seq", r.Seq-r.Missing, "last_seq", r.Seq-1)
		if _, err := b.w.insertGap.Exec(r.Seq-r.Missing, r.Seq-1); err != nil {
			return err
		}
	}
	b.w.seq = r.Seq
	e, err := schema.DecodeMeaning(r.Data)
	if err != nil {
		b.w.eventID = ""
		return b.park(r, schema.At(r.Time), &schema.Data{}, err)
	}
	b.w.eventID = e.ID
	if e.TrulyIdentified() {
		if known, err := b.seen(e.ID); known || err != nil {
			return err
		}
	}
	return b.event(r, e)
}

func (b *batch) seen(id string) (bool, error) {
	var n int
	if err := b.w.findSeen.QueryRow(id).Scan(&n); err != nil || n > 0 {
		return n > 0, err
	}
	_, err := b.w.insertSeen.Exec(id)
	return false, err
}

// event folds e into every row it concerns, or into none: one that a fold cannot take is parked, and its rows stay as they were.
func (b *batch) event(r *schema.Record, e *schema.Event) error {
	if e.Kind() == schema.DeliveryUnrecognized {
		return b.park(r, e.Time, &e.Data, errors.New(e.Data.Reason))
	}
	concerned, err := lifecycle.Rows(e)
	if err != nil {
		return b.park(r, e.Time, &e.Data, err)
	}
	taken := make([]func(), 0, len(concerned))
	for _, row := range concerned {
		take, err := b.w.models[row.Model].fold(e.Data.Provider, row.ID, r.Seq, e)
		var unfoldable *foldError
		if errors.As(err, &unfoldable) {
			return b.park(r, e.Time, &e.Data, err)
		}
		if err != nil {
			return err
		}
		taken = append(taken, take)
	}
	summary := lifecycle.Summary(e)
	for i, row := range concerned {
		taken[i]()
		b.touch(Key{row.Model, e.Data.Provider, row.ID})
		b.timeline = append(b.timeline, row.Model, e.Data.Provider, row.ID, r.Seq, e.Time.String(), e.Type, summary)
	}
	return b.writeTimeline(timelinesAtOnce)
}

// writeTimeline writes entries while there are at least that many.
func (b *batch) writeTimeline(atLeast int) error {
	for len(b.timeline) >= atLeast*timelineColumns {
		stmt, n := b.w.insertTimelines, timelinesAtOnce*timelineColumns
		if len(b.timeline) < n {
			stmt, n = b.w.insertTimeline, timelineColumns
		}
		if _, err := stmt.Exec(b.timeline[:n]...); err != nil {
			return err
		}
		b.timeline = b.timeline[n:]
	}
	return nil
}

func (b *batch) park(r *schema.Record, t schema.Time, d *schema.Data, why error) error {
	var delivery *schema.Original
	if e, err := schema.Decode(r.Data); err == nil {
		delivery = e.Data.Original
	}
	original, err := originalText(delivery, r.Data)
	if err != nil {
		return err
	}
	b.touch(Key{"quarantine", d.Provider, fmt.Sprint(r.Seq)})
	_, err = b.w.insertQuarantine.Exec(r.Seq, t.String(), d.Provider, why.Error(), original)
	return err
}

func (b *batch) touch(k Key) {
	if !b.keys[k] {
		b.keys[k] = true
		b.change.Rows = append(b.change.Rows, k)
	}
}
