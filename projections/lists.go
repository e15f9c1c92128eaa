package projections

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// reader reads the generation in use until done is called, with what became of the reading: an error that says that the
// file is damaged becomes ErrRebuilding, because the file will be rebuilt at once.
func (s *Store) reader() (db *sql.DB, done func(*error), err error) {
	f, done, err := s.readFile()
	if err != nil {
		return nil, nil, err
	}
	return f.readers, done, nil
}

// readFile serves as reader for who needs to know how the generation was built.
func (s *Store) readFile() (f *file, done func(*error), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f = s.current; f == nil {
		return nil, nil, ErrRebuilding
	}
	f.reading.Add(1)
	s.active.Add(1)
	return f, func(err *error) {
		s.active.Add(-1)
		f.reading.Done()
		if *err != nil {
			*err = s.judge(f, *err)
		}
	}, nil
}

// List returns one page of a model's list, and the cursor of the next; "" when there is none.
func List[S, T any](ctx context.Context, s *Store, t *Table[S, T], q Query) (items []T, next string, err error) {
	found, next, err := s.List(ctx, t, q)
	if err != nil {
		return nil, "", err
	}
	items = make([]T, len(found))
	for i := range found {
		items[i] = *found[i].(*T)
	}
	return items, next, nil
}

// List serves as the function List for whoever does not know the type of the rows: the items are pointers.
func (s *Store) List(ctx context.Context, m Model, q Query) (items []any, next string, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, "", err
	}
	defer done(&err)
	if items, next, err = page(ctx, db, m, q); err != nil {
		return nil, "", err
	}
	return items, next, succeed(ctx, db, certificatesAmong(items)...)
}

// page returns one page of a list, and the cursor of the next.
func page(ctx context.Context, db *sql.DB, m Model, q Query) (items []any, next string, err error) {
	t := m.About()
	w, column, by, err := t.plan(ctx, db, q)
	if err != nil {
		return nil, "", err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	read := column
	if w.few {
		read = ""
	}
	order := " ORDER BY " + by + ", provider, " + t.Key
	// The keys first, and then their rows: what is sorted, or passed over, is short, and may stand in an index as a
	// whole. A row that only an index has is read as nulls, which is damage, and not passed over.
	text := w.with + m.selectColumns() + " FROM (SELECT provider AS key_provider, " + t.Key + " AS key_id FROM " + w.from(t.Name) + w.sql(read) + order +
		" LIMIT ?) LEFT JOIN " + t.Name + " ON provider = key_provider AND " + t.Key + " = key_id" + order
	found, err := db.QueryContext(ctx, text, append(w.args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	items = []any{}
	var last position
	held, most := 0, cmp.Or(q.Bytes, PageBytes)
	for found.Next() {
		if len(items) == limit || held >= most {
			return items, last.cursor(), found.Close()
		}
		key, state, err := scanRow(m, found)
		if err != nil {
			return nil, "", err
		}
		items = append(items, itemOf(m, key, state, q.Now))
		held += m.weigh(state)
		last = position{t.Name, by, m.sortValue(column, key, state), key.provider, key.id}
	}
	return items, "", found.Err()
}

// plan returns how a page's rows are found, the column that orders them, and the order.
func (m *Spec) plan(ctx context.Context, db *sql.DB, q Query) (w *where, column, by string, err error) {
	if w, err = m.where(q); err != nil {
		return nil, "", "", err
	}
	column, descending, err := m.order(q.Sort)
	if err != nil {
		return nil, "", "", err
	}
	if by = column; descending {
		by += " DESC"
	}
	if err = w.after(q.Cursor, m.Name, by, m.Key); err != nil {
		return nil, "", "", err
	}
	if w.few, err = m.narrow(ctx, db, w, column); err == nil && !w.few {
		err = m.sortable(ctx, db, w, column)
	}
	return w, column, by, err
}

// scanRow reads a row that selectColumns asked for.
func scanRow(m Model, row interface{ Scan(...any) error }) (key rowKey, state any, err error) {
	state = m.NewState()
	err = row.Scan(append([]any{&key.provider, &key.id}, m.scanTargets(state)...)...)
	return key, state, err
}

// itemOf returns a pointer to what people see of a row.
func itemOf(m Model, key rowKey, state any, now time.Time) any {
	return m.Item(Key{m.About().Name, key.provider, key.id}, state, now)
}

// stored reads the state of one row; sql.ErrNoRows where there is none.
func stored(ctx context.Context, db *sql.DB, m Model, key rowKey) (any, error) {
	_, state, err := scanRow(m, db.QueryRowContext(ctx, selectOne(m), key.provider, key.id))
	return state, err
}

// selectOne returns the query of one row, by provider and key.
func selectOne(m Model) string {
	t := m.About()
	return m.selectColumns() + " FROM " + t.Name + " WHERE provider = ? AND " + t.Key + " = ?"
}

// timeline returns the newest events of a row, at most limit, ascending.
func timeline(ctx context.Context, db *sql.DB, model string, key rowKey, limit int) ([]TimelineEntry, error) {
	found, err := db.QueryContext(ctx, "SELECT seq, time, type, facts FROM timeline WHERE model = ? AND provider = ? AND id = ? ORDER BY seq DESC LIMIT ?", model, key.provider, key.id, limit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	entries := []TimelineEntry{}
	for found.Next() {
		var e TimelineEntry
		if err := found.Scan(&e.Seq, timeColumn{&e.Time}, &e.Type, factsColumn{&e.Facts}); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	return entries, found.Err()
}

// position marks where in a list a row stands. In another list, or in another order, it is nowhere.
type position struct {
	List     string `json:"l"`
	By       string `json:"b"` // "not_after", "last_event_at DESC"
	Value    any    `json:"v"` // of the column that By names
	Provider string `json:"p"`
	ID       string `json:"i"`
}

func (p position) cursor() string {
	b, err := json.Marshal(p)
	if err != nil {
		return "" // of text and numbers: cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePosition reads what cursor wrote; false for what it cannot have written.
func parsePosition(cursor string) (p position, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(b, &p) != nil {
		return p, false
	}
	switch p.Value.(type) {
	case string, float64: // a column's text or number, as JSON has them
		return p, true
	}
	return p, false
}

// after adds the condition that a row of the list, which is ordered by a column, or a column and DESC, comes after the
// cursor.
func (w *where) after(cursor, list, by, key string) error {
	if cursor == "" {
		return nil
	}
	p, ok := parsePosition(cursor)
	if !ok || p.List != list {
		return fmt.Errorf("%w: the cursor is not one that a page of this list gave", ErrQuery)
	}
	if p.By != by {
		return fmt.Errorf("%w: the cursor is of this list by %s, and the list is asked for by %s: sort it as for the page that gave the cursor, or leave the cursor out",
			ErrQuery, sortOf(p.By), sortOf(by))
	}
	column, descending := strings.CutSuffix(by, " DESC")
	beyond, upTo := ">", ">="
	if descending {
		beyond, upTo = "<", "<="
	}
	w.terms = append([]string{column + " " + upTo + " ?"}, w.terms...) // before a state's wider bounds, since SQLite goes by the first
	w.args = append([]any{p.Value}, w.args...)
	w.add(column+" "+beyond+" ? OR (provider, "+key+") > (?, ?)", p.Value, p.Provider, p.ID)
	return nil
}

// sortOf returns the Query.Sort that asks for the order.
func sortOf(by string) string {
	if column, descending := strings.CutSuffix(by, " DESC"); descending {
		return "-" + column
	}
	return by
}

// Count returns how many rows of the model of that name the query matches, CountLimit+1 at most.
func (s *Store) Count(ctx context.Context, model string, q Query) (n int, err error) {
	m := ModelNamed(model)
	switch {
	case model == Quarantine:
		return s.countQuarantine(ctx, q)
	case m == nil:
		return 0, fmt.Errorf("%w: there is no list of %s", ErrQuery, model)
	}
	db, done, err := s.reader()
	if err != nil {
		return 0, err
	}
	defer done(&err)
	t := m.About()
	w, err := t.where(q)
	if err != nil {
		return 0, err
	}
	order := ""
	if !q.ExpiresFrom.IsZero() || !q.ExpiresUntil.IsZero() {
		order = t.Ends // the index of ends knows most of what else is asked, so that the rows themselves need not be read
	}
	if _, err := t.narrow(ctx, db, w, order); err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, w.with+"SELECT count(*) FROM (SELECT 1 FROM "+w.from(t.Name)+w.sql(order)+" LIMIT ?)", append(w.args, CountLimit+1)...).Scan(&n)
	return n, err
}

// named returns the rows that bear one of the names, as selected has them.
func named[S, T any](ctx context.Context, s *Store, t *Table[S, T], now time.Time, truncated *[]string, names ...string) ([]T, error) {
	return selected(ctx, s, t, now, truncated, func(w *where) {
		for _, name := range names {
			w.found = append(w.found, "SELECT provider, id FROM names WHERE model = ? AND reversed = ?")
			w.foundArgs = append(w.foundArgs, t.Name, schema.ReverseName(name))
		}
	})
}

// selected returns the rows of the list that meet a condition, MaxLimit or PageBytes at most, most recent first. The
// list's name is put to truncated where there are more.
func selected[S, T any](ctx context.Context, s *Store, t *Table[S, T], now time.Time, truncated *[]string, condition func(*where)) (items []T, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	w := &where{}
	if t.only != "" {
		w.add(t.only)
	}
	condition(w)
	if _, err := t.narrow(ctx, db, w, ""); err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, w.with+t.selectColumns()+" FROM "+w.from(t.Name)+w.sql("")+" ORDER BY last_event_at DESC, provider, "+t.Key+" LIMIT ?",
		append(w.args, MaxLimit+1)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	items, more, err := t.items(found, now)
	if more {
		*truncated = append(*truncated, t.Name)
	}
	return items, err
}

// items returns the rows that were found, MaxLimit or PageBytes at most, and whether there are more.
func (t *Table[S, T]) items(found *sql.Rows, now time.Time) (items []T, more bool, err error) {
	items = []T{}
	for held := 0; found.Next(); {
		if len(items) == MaxLimit || held >= PageBytes {
			return items, true, nil
		}
		key, state, err := scanRow(t, found)
		if err != nil {
			return nil, false, err
		}
		items = append(items, *itemOf(t, key, state, now).(*T))
		held += t.weigh(state)
	}
	return items, false, found.Err()
}

// wildcardOf returns the wildcard that covers name: *.example.com for www.example.com.
func wildcardOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return "*." + parent
}
