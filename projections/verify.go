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

// place is where the difference is, without what stands there: that may be a person's.
func (d Difference) place() string {
	if d.Key == "" {
		return d.Live
	}
	return strings.TrimRight(d.Table+" "+d.Column, " ")
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
	err = s.sameMoment(ctx, b, func(live *sql.Tx) error {
		v = &Verification{Seq: b.seq, Redecoded: current.redecoded}
		b.aim(PhaseComparing, b.seq)
		return v.compareAll(ctx, live, b.path)
	})
	if errors.Is(err, ErrRebuilding) {
		err = fmt.Errorf("the file of the read models in use is damaged; a running server builds them anew by itself, and so does certtrail replay: %w", err)
	}
	return v, err
}

// compareAll compares all that live has with the database at path.
func (v *Verification) compareAll(ctx context.Context, live *sql.Tx, path string) error {
	rebuilt, err := openFile(path)
	if err != nil {
		return err
	}
	defer rebuilt.readers.Close()
	for _, t := range comparedTables {
		d, err := v.compare(ctx, t, span{}, live, rebuilt.readers)
		if err != nil {
			return fmt.Errorf("couldn't compare the table %s: %w", t.name, err)
		}
		v.Tables = append(v.Tables, d)
	}
	if err := v.compareHoldings(ctx, live, rebuilt.readers); err != nil {
		return err
	}
	return v.checkIndexes(ctx, live, strconv.Itoa(differencesShown))
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

// checkIndexes has SQLite hold the indexes, which lists are read by, against the tables: those of one table, or of all where what is a number of errors.
func (v *Verification) checkIndexes(ctx context.Context, live *sql.Tx, what string) error {
	rows, err := live.QueryContext(ctx, "PRAGMA integrity_check("+what+")")
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
			v.note(Difference{Table: "sqlite", Live: line})
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

// fresh reads the generation in use, as it is now, through a connection that has read nothing of it before and so goes by what the file has.
func (s *Store) fresh(ctx context.Context, do func(*sql.Tx) error) (err error) {
	f, done, err := s.readFile()
	if err != nil {
		return err
	}
	defer done(&err)
	own, err := openFile(f.path)
	if err != nil {
		return err
	}
	defer own.readers.Close()
	tx, err := own.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return do(tx)
}

// sameMoment has do read the generation in use as it is now, whatever is folded into it later, while b holds the same events.
func (s *Store) sameMoment(ctx context.Context, b *build, do func(live *sql.Tx) error) error {
	if err := b.catchUp(ctx, s.held); err != nil {
		return err
	}
	return s.fresh(ctx, func(live *sql.Tx) error {
		var to uint64
		if err := live.QueryRowContext(ctx, "SELECT seq FROM cursor").Scan(&to); err != nil { // the snapshot begins with the first statement
			return err
		}
		if err := b.reach(ctx, to); err != nil {
			return err
		}
		return do(live)
	})
}

// compared is a table and the columns by which its rows are told apart, in the order of an index of theirs.
type compared struct {
	name string
	key  []string
	rest string // the columns; "": all
}

// theSchema is what SQLite knows of the tables and indexes, but for where they stand.
var theSchema = compared{"sqlite_schema", []string{"name"}, "type, name, tbl_name, sql"}

// span is part of a table: the rows after one key, up to another. nil: from the first, or to the last.
type span struct{ after, until []any }

// where is the condition, and its arguments.
func (p span) where(key []string) (condition string, args []any) {
	var terms []string
	for _, bound := range []struct {
		operator string
		key      []any
	}{{" > ", p.after}, {" <= ", p.until}} {
		if bound.key != nil {
			terms = append(terms, "("+strings.Join(key, ", ")+")"+bound.operator+"(?"+strings.Repeat(", ?", len(key)-1)+")")
			args = append(args, bound.key...)
		}
	}
	if len(terms) > 0 {
		condition = " WHERE " + strings.Join(terms, " AND ")
	}
	return condition, args
}

// end is the key up to which a span of so many rows goes that begins after another; nil if there are fewer.
func (t compared) end(ctx context.Context, db querier, after []any, rows int) ([]any, error) {
	key := strings.Join(t.key, ", ")
	condition, args := span{after: after}.where(t.key)
	found, err := db.QueryContext(ctx, "SELECT "+key+" FROM "+t.name+condition+" ORDER BY "+key+" LIMIT 1 OFFSET ?", append(args, rows-1)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	if !found.Next() {
		return nil, found.Err()
	}
	end, targets := make([]any, len(t.key)), make([]any, len(t.key))
	for i := range end {
		targets[i] = &end[i]
	}
	return end, found.Scan(targets...)
}

var comparedTables = func() []compared {
	var list []compared
	for _, t := range []struct{ name, key string }{
		{orders.name, orders.key}, {certificates.name, certificates.key}, {domains.name, domains.key}, {dnssecs.name, dnssecs.key},
		{organizations.name, organizations.key}, {websites.name, websites.key}, {accounts.name, accounts.key},
		{users.name, users.key}, {targets.name, targets.key}, {scans.name, scans.key}, {findings.name, findings.key}, {decisions.name, decisions.key},
	} {
		list = append(list, compared{name: t.name, key: []string{"provider", t.key}})
	}
	for _, t := range []compared{
		{name: "deliveries", key: []string{"provider", "hour"}}, {name: "expiries", key: []string{"day", "provider", "validity_days"}},
		{name: "timeline", key: []string{"id", "seq", "provider", "model"}}, {name: "names", key: []string{"reversed", "id", "provider", "model"}},
		{name: "quarantine", key: []string{"seq"}}, {name: "gaps", key: []string{"first_seq"}}, {name: "seen", key: []string{"event_id"}}, {name: "cursor", key: []string{"one"}},
	} {
		list = append(list, t)
	}
	return list
}()

// compare walks both tables, or the same part of them, in the order of their keys.
func (v *Verification) compare(ctx context.Context, t compared, part span, live, rebuilt querier) (d TableDigest, err error) {
	a, err := t.open(ctx, part, live)
	if err != nil {
		return d, err
	}
	defer a.rows.Close()
	b, err := t.open(ctx, part, rebuilt)
	if err != nil {
		return d, err
	}
	defer b.rows.Close()
	if err := errors.Join(a.next(), b.next()); err != nil {
		return d, err
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
			return d, err
		}
	}
	d = TableDigest{Table: t.name, Rows: a.count, SHA256: a.digest()}
	if other := b.digest(); other != d.SHA256 {
		d.Rebuilt = other
	}
	return d, nil
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
	v.note(found...)
}

// note keeps the first of the differences.
func (v *Verification) note(found ...Difference) {
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

func (t compared) open(ctx context.Context, part span, db querier) (*walk, error) {
	key := strings.Join(t.key, ", ")
	condition, args := part.where(t.key)
	rows, err := db.QueryContext(ctx, "SELECT "+key+", "+cmp.Or(t.rest, "*")+" FROM "+t.name+condition+" ORDER BY "+key, args...)
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
