package projections

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// differencesShown bounds how many differences a verification names; all are counted.
const differencesShown = 20

// Verification is what a comparison of the read models in use with ones just built from the log has found.
type Verification struct {
	Seq         uint64        `json:"seq"`                 // the last event both hold
	Redecoded   bool          `json:"redecoded,omitempty"` // both derive events anew from their original deliveries
	Tables      []TableDigest `json:"tables"`
	Differing   int           `json:"differing"`             // rows that are not the same
	Differences []Difference  `json:"differences,omitempty"` // the first of them
	Gone        schema.Gaps   `json:"gone,omitempty"`        // what those in use hold, and the rebuilt ones do not: it is gone from the log
}

// TableDigest is one table of both: SHA-256 over its rows in the order of their keys.
type TableDigest struct {
	Table   string `json:"table"`
	Rows    int    `json:"rows"`
	SHA256  string `json:"sha256"`            // of the one in use
	Rebuilt string `json:"rebuilt,omitempty"` // of the rebuilt one, where it is another
}

// Difference is one row that is not the same, or one column of it.
type Difference struct {
	Table   string `json:"table"`
	Key     string `json:"key"`              // "digicert 12345"
	Column  string `json:"column,omitempty"` // "" when one of them lacks the row
	Live    string `json:"live"`
	Rebuilt string `json:"rebuilt"`
}

// String is the difference as a sentence.
func (d Difference) String() string {
	switch {
	case d.Key == "":
		return d.Table + ": " + d.Live
	case d.Column != "":
		return fmt.Sprintf("%s %s: %s is %q, and %q when rebuilt", d.Table, d.Key, d.Column, d.Live, d.Rebuilt)
	case d.Live == "":
		return fmt.Sprintf("%s %s: the row is missing", d.Table, d.Key)
	}
	return fmt.Sprintf("%s %s: the row is not there when rebuilt", d.Table, d.Key)
}

// Verify builds the read models aside and compares every row of every table with those in use, as of the same event. Reading and folding go on,
// but for the moment at which both stand at that event.
func (s *Store) Verify(ctx context.Context, report func(Progress)) (v *Verification, err error) {
	current, reason := s.inUse()
	switch {
	case current == nil:
		return nil, fmt.Errorf("there are no read models to compare, because %s; certtrail replay builds them, and so does a server", reason)
	case reason != "":
		return nil, fmt.Errorf("the read models in use are to be built anew, because %s; certtrail replay does it, and so does a server", reason)
	}
	ctx, leave, err := s.building.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	to, eventID, err := s.cursor(ctx)
	if err == nil {
		err = s.checkCursor(ctx, to, eventID)
	}
	if err != nil {
		return nil, fmt.Errorf("the read models in use are not of this log: certtrail replay builds them anew: %w", err)
	}
	b := s.newBuild(filepath.Join(s.o.Dir, "verify"+asideSuffix), current.redecoded, "it is compared with the read models in use", report)
	removeDatabase(b.path)
	defer removeDatabase(b.path)
	defer b.end()
	if err := b.load(ctx, to); err != nil {
		return nil, err
	}
	live, release, err := s.sameMoment(ctx, b)
	if err != nil {
		return nil, err
	}
	defer func() {
		if release(&err); errors.Is(err, ErrRebuilding) {
			err = fmt.Errorf("the file of the read models in use is damaged; a running server builds them anew by itself, and so does certtrail replay: %w", err)
		}
	}()
	b.aim(PhaseComparing, b.seq)
	rebuilt, err := openFile(b.path)
	if err != nil {
		return nil, err
	}
	defer rebuilt.readers.Close()
	v = &Verification{Seq: b.seq, Redecoded: current.redecoded}
	for _, t := range comparedTables {
		if err := v.compare(ctx, t, live, rebuilt.readers); err != nil {
			return nil, fmt.Errorf("couldn't compare the table %s: %w", t.name, err)
		}
	}
	if err := v.compareHoldings(ctx, live, rebuilt.readers); err != nil {
		return nil, err
	}
	return v, v.checkIndexes(ctx, live)
}

// compareHoldings finds what only the read models in use hold.
func (v *Verification) compareHoldings(ctx context.Context, live, rebuilt querier) error {
	held, err := readHolding(ctx, live)
	if err != nil {
		return err
	}
	next, err := readHolding(ctx, rebuilt)
	v.Gone = held.gone(next)
	return err
}

// checkIndexes has SQLite hold the indexes, which lists are read by, against the tables.
func (v *Verification) checkIndexes(ctx context.Context, live *sql.Tx) error {
	rows, err := live.QueryContext(ctx, "PRAGMA integrity_check("+strconv.Itoa(differencesShown)+")")
	if err != nil {
		return fmt.Errorf("couldn't check the indexes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			v.Differing++
			v.Differences = append(v.Differences, Difference{Table: "sqlite", Live: line})
		}
	}
	return rows.Err()
}

// cursor is the last event that the generation in use holds.
func (s *Store) cursor(ctx context.Context) (seq uint64, eventID string, err error) {
	db, done, err := s.reader()
	if err != nil {
		return 0, "", err
	}
	defer done(&err)
	err = db.QueryRowContext(ctx, "SELECT seq, event_id FROM cursor").Scan(&seq, &eventID)
	return seq, eventID, err
}

// held is cursor's sequence.
func (s *Store) held(ctx context.Context) (uint64, error) {
	seq, _, err := s.cursor(ctx)
	return seq, err
}

// sameMoment brings b to the event that the generation in use holds, and gives what reads that as it is now, whatever is folded into it later.
func (s *Store) sameMoment(ctx context.Context, b *build) (live *sql.Tx, release func(*error), err error) {
	if err := b.catchUp(ctx, s.held); err != nil {
		return nil, nil, err
	}
	defer s.baton.take()()
	to, err := s.held(ctx)
	if err == nil {
		err = b.reach(ctx, to)
	}
	if err != nil {
		return nil, nil, err
	}
	db, done, err := s.reader()
	if err != nil {
		return nil, nil, err
	}
	release = func(err *error) {
		if live != nil {
			live.Rollback()
		}
		done(err)
	}
	if live, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err == nil {
		var seq uint64
		err = live.QueryRowContext(ctx, "SELECT seq FROM cursor").Scan(&seq) // the snapshot begins with the first statement
	}
	if err != nil {
		release(&err)
		return nil, nil, err
	}
	return live, release, nil
}

// compared is a table and the columns by which its rows are told apart, in the order of an index of theirs.
type compared struct {
	name string
	key  []string
}

var comparedTables = func() []compared {
	var list []compared
	for _, t := range []struct{ name, key string }{
		{orders.name, orders.key}, {certificates.name, certificates.key}, {domains.name, domains.key}, {dnssecs.name, dnssecs.key},
		{organizations.name, organizations.key}, {websites.name, websites.key}, {accounts.name, accounts.key},
		{users.name, users.key}, {targets.name, targets.key}, {scans.name, scans.key}, {findings.name, findings.key}, {decisions.name, decisions.key},
	} {
		list = append(list, compared{t.name, []string{"provider", t.key}})
	}
	list = append(list, compared{"deliveries", []string{"provider", "hour"}}, compared{"expiries", []string{"day", "provider", "validity_days"}})
	return append(list, compared{"timeline", []string{"id", "seq", "provider", "model"}}, compared{"names", []string{"reversed", "id", "provider", "model"}},
		compared{"quarantine", []string{"seq"}}, compared{"gaps", []string{"first_seq"}}, compared{"seen", []string{"event_id"}}, compared{"cursor", []string{"one"}})
}()

// compare walks both tables in the order of their keys.
func (v *Verification) compare(ctx context.Context, t compared, live, rebuilt querier) error {
	a, err := t.open(ctx, live)
	if err != nil {
		return err
	}
	defer a.rows.Close()
	b, err := t.open(ctx, rebuilt)
	if err != nil {
		return err
	}
	defer b.rows.Close()
	if err := errors.Join(a.next(), b.next()); err != nil {
		return err
	}
	for a.more || b.more {
		order := 0
		switch {
		case !b.more:
			order = -1
		case !a.more:
			order = 1
		default:
			order = compareKeys(a.key(), b.key())
		}
		v.differ(t, a, b, order)
		var errs [2]error
		if order <= 0 {
			errs[0] = a.next()
		}
		if order >= 0 {
			errs[1] = b.next()
		}
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
	}
	d := TableDigest{Table: t.name, Rows: a.count, SHA256: a.digest()}
	if other := b.digest(); other != d.SHA256 {
		d.Rebuilt = other
	}
	v.Tables = append(v.Tables, d)
	return nil
}

// differ notes how the rows at which a and b stand differ; order is that of their keys.
func (v *Verification) differ(t compared, a, b *walk, order int) {
	var found []Difference
	switch {
	case order < 0:
		found = []Difference{{t.name, a.keyText(), "", a.text(), ""}}
	case order > 0:
		found = []Difference{{t.name, b.keyText(), "", "", b.text()}}
	default:
		for i := range a.values {
			if a.values[i] != b.values[i] {
				found = append(found, Difference{t.name, a.keyText(), a.columns[i], fmt.Sprint(a.values[i]), fmt.Sprint(b.values[i])})
			}
		}
	}
	if len(found) > 0 {
		v.Differing++
	}
	room := max(0, differencesShown-len(v.Differences))
	v.Differences = append(v.Differences, found[:min(room, len(found))]...)
}

// querier is what both a database and a transaction can do.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// walk goes through a table's rows in the order of their keys.
type walk struct {
	rows    *sql.Rows
	keys    int // the first of the columns
	columns []string
	values  []any
	targets []any // pointers to values
	more    bool
	count   int
	sum     hash.Hash
}

func (t compared) open(ctx context.Context, db querier) (*walk, error) {
	key := strings.Join(t.key, ", ")
	rows, err := db.QueryContext(ctx, "SELECT "+key+", * FROM "+t.name+" ORDER BY "+key)
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		rows.Close()
		return nil, err
	}
	w := &walk{rows: rows, keys: len(t.key), columns: columns, values: make([]any, len(columns)), sum: sha256.New()}
	for i := range w.values {
		w.targets = append(w.targets, &w.values[i])
	}
	return w, nil
}

func (w *walk) next() error {
	if w.more = w.rows.Next(); !w.more {
		return w.rows.Err()
	}
	if err := w.rows.Scan(w.targets...); err != nil {
		return err
	}
	w.count++
	for _, v := range w.values[w.keys:] {
		text := fmt.Sprint(v)
		fmt.Fprintf(w.sum, "%T %d ", v, len(text))
		w.sum.Write([]byte(text))
	}
	return nil
}

func (w *walk) key() []any      { return w.values[:w.keys] }
func (w *walk) keyText() string { return strings.TrimSuffix(fmt.Sprintln(w.key()...), "\n") }
func (w *walk) text() string {
	return strings.TrimSuffix(fmt.Sprintln(w.values[w.keys:]...), "\n")
}
func (w *walk) digest() string { return hex.EncodeToString(w.sum.Sum(nil)) }

// compareKeys orders keys as SQLite does: numbers by value, text by bytes.
func compareKeys(a, b []any) int {
	for i := range a {
		var order int
		switch x := a[i].(type) {
		case int64:
			y, _ := b[i].(int64)
			order = cmp.Compare(x, y)
		default:
			order = cmp.Compare(fmt.Sprint(a[i]), fmt.Sprint(b[i]))
		}
		if order != 0 {
			return order
		}
	}
	return 0
}
