package projections

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// where holds the condition of a query, and what it is read from. A caret before a column in a term stands for what
// keeps SQLite from going by an index of that column where the list is read in its order.
type where struct {
	with  string // before the SELECT
	on    string // how rows belong to what with found
	terms []string
	args  []any

	found     []string // of a search: queries of the keys, one for each way to be found
	foundArgs []any
	looks     string // the same, told from a row itself; "": only the keys tell
	looksArgs []any
	few       bool  // what is found is few rows, read by their keys
	ways      []way // terms that an index answers, of which any may find few rows
}

// way holds a term that finds keys by an index.
type way struct {
	term   string
	args   []any
	most   int    // how many rows are few
	column string // by which rows are found together; "": any
}

func (w *where) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

// addIndexed adds a term that an index answers; rows that it finds are few up to most.
func (w *where) addIndexed(most int, term string, args ...any) {
	w.add(term, args...)
	w.ways = append(w.ways, way{term, args, most, ""})
}

// from returns what is read: the table, or what was found with the table's rows.
func (w *where) from(table string) string {
	if w.with == "" {
		return table
	}
	return "found CROSS JOIN " + table + " ON " + w.on
}

// sql returns the condition; order is the column in whose order the list is read, "" where the rows are found
// otherwise.
func (w *where) sql(order string) string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE (" + withCarets(strings.Join(w.terms, ") AND ("), order) + ")"
}

func withCarets(term, order string) string {
	if order == "" {
		return strings.ReplaceAll(term, "^", "")
	}
	return strings.ReplaceAll(strings.ReplaceAll(term, "^"+order, order), "^", "+")
}

func (m *Spec) where(q Query) (*where, error) {
	w := &where{}
	if m.only != "" {
		w.add(m.only)
	}
	if q.Provider != "" {
		w.addIndexed(fewFound, "^provider = ?", q.Provider)
	}
	if err := m.ending(w, q.ExpiresFrom, q.ExpiresUntil); err != nil { // before a state's wider bounds, since SQLite goes by the first
		return nil, err
	}
	if err := m.inState(w, q); err != nil {
		return nil, err
	}
	if q.Q != "" {
		m.search(w, strings.TrimSpace(q.Q))
	}
	if q.row != nil {
		w.add("provider = ? AND "+m.Key+" = ?", q.row.provider, q.row.id)
		w.ways = nil // none finds fewer
	}
	return w, nil
}

// inState adds the condition of a state.
func (m *Spec) inState(w *where, q Query) error {
	if q.State == "" {
		return nil
	}
	condition, err := m.condition(q.State)
	if err != nil {
		return err
	}
	term, args := condition(schema.At(q.Now).String())
	if column, _, err := m.order(q.Sort); m.ByState && err == nil && (column != "last_event_at" || !q.ExpiresFrom.IsZero() || !q.ExpiresUntil.IsZero()) {
		term = strings.ReplaceAll(term, "state = ", "^state = ") // the index of states has them in the order of their last events only
	}
	if m.ByState {
		w.addIndexed(fewFound, term, args...)
	} else {
		w.add(term, args...)
	}
	return nil
}

// condition returns that of a state.
func (m *Spec) condition(state string) (func(now string) (string, []any), error) {
	if len(m.States) == 0 {
		return func(string) (string, []any) { return "state = ?", []any{state} }, nil
	}
	for _, s := range m.States {
		if s.Name == state {
			return s.condition, nil
		}
	}
	return nil, fmt.Errorf("%w: %q is not a state of %s; those are %s", ErrQuery, state, m.Name, strings.Join(slices.Sorted(slices.Values(m.StateNames())), ", "))
}

// ending adds the condition that a row's validity ends at from or later, and before until.
func (m *Spec) ending(w *where, from, until time.Time) error {
	if from.IsZero() && until.IsZero() {
		return nil
	}
	if m.Ends == "" {
		return fmt.Errorf("%w: %s cannot be chosen by when they expire", ErrQuery, m.Name)
	}
	term, args := "^"+m.Ends+" >= ?", []any{schema.At(from).String()} // what is not known is '', which sorts before the earliest time
	if !until.IsZero() {
		term, args = term+" AND ^"+m.Ends+" < ?", append(args, schema.At(until).String())
	}
	w.add(term, args...)
	w.ways = append(w.ways, way{term, args, fewEnding, m.Ends})
	return nil
}

// fewFound bounds how many keys may be found for their rows to be read by them, and then sorted. Of more, one in every
// few rows of the list is to be expected, so that the list is read in its order and each row looked at.
const fewFound = 2000

// fewEnding bounds the same for what ends in a time: those rows stand together in the list's order as well, so that it
// may pass over many before the first.
const fewEnding = 20_000

// narrow has the rows read in the way that suits how many there are: by their keys, if what is searched for or any term
// with an index finds few. A term of the column in whose order the list is read needs none of this: what it finds
// stands together there.
func (m *Spec) narrow(ctx context.Context, db *sql.DB, w *where, order string) (few bool, err error) {
	if w.looks != "" { // of a short list every row is looked at: the names of another may be many
		if few, err = findsFew(ctx, db, fewFound, "SELECT provider, "+m.Key+" FROM "+m.Name, nil); few || err != nil {
			w.add(w.looks, w.looksArgs...)
			return few, err
		}
	}
	if len(w.found) > 0 {
		found := strings.Join(w.found, " UNION ALL ")
		if few, err = findsFew(ctx, db, fewFound, found, w.foundArgs); few || err != nil {
			w.begin(m.Key, "SELECT DISTINCT * FROM ("+found+")", w.foundArgs)
			return few, err
		}
		if w.looks != "" {
			w.add(w.looks, w.looksArgs...)
		} else {
			w.add("(provider, "+m.Key+") IN ("+found+")", w.foundArgs...)
		}
	}
	for _, one := range w.ways {
		if order != "" && one.column == order {
			continue
		}
		found := "SELECT provider, " + m.Key + " FROM " + m.Name + " WHERE " + withCarets(one.term, "")
		if few, err = findsFew(ctx, db, one.most, found, one.args); few || err != nil {
			w.begin(m.Key, found, one.args)
			return few, err
		}
	}
	return false, nil
}

// findsFew reports whether a query of keys finds at most so many of them.
func findsFew(ctx context.Context, db *sql.DB, most int, found string, args []any) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM ("+found+") LIMIT ?)", append(slices.Clone(args), most+1)...).Scan(&n)
	return n <= most, err
}

// begin has the rows read by the keys that a query finds. The cross join keeps SQLite from reading the list in its
// order all the same.
func (w *where) begin(key, found string, args []any) {
	w.with = "WITH found (found_provider, found_id) AS MATERIALIZED (" + found + ") "
	w.on = "provider = found_provider AND " + key + " = found_id"
	w.args = append(slices.Clone(args), w.args...)
}
