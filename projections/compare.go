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
	"strings"
)

// compared names a table and the columns by which its rows are told apart, in the order of an index of theirs.
type compared struct {
	name string
	key  []string
	rest string // the columns; "": all
}

// theSchema holds all that SQLite knows of the tables and indexes, but for where they stand.
var theSchema = compared{"sqlite_schema", []string{"name"}, "type, name, tbl_name, sql"}

// span bounds a part of a table: the rows after one key, up to another. nil: from the first, or to the last.
type span struct{ after, until []any }

// where returns the condition, and its arguments.
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

// end returns the key up to which a span of so many rows goes that begins after another; nil if there are fewer.
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
	for _, m := range models {
		list = append(list, m.compared()...)
	}
	return append(list, []compared{
		{name: "deliveries", key: []string{"provider", "hour"}}, {name: "expiries", key: []string{"day", "provider", "validity_days"}},
		{name: "timeline", key: []string{"id", "seq", "provider", "model"}}, {name: "names", key: []string{"reversed", "id", "provider", "model"}},
		{name: "quarantine", key: []string{"seq"}}, {name: "gaps", key: []string{"first_seq"}}, {name: "seen", key: []string{"event_id"}}, {name: "cursor", key: []string{"one"}},
	}...)
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

// querier does what both a database and a transaction can.
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
