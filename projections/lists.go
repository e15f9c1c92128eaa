package projections

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// reader reads the generation in use until done is called, with what became of the reading: an error that says that the file is damaged becomes
// ErrRebuilding, because the file will be built anew at once.
func (s *Store) reader() (db *sql.DB, done func(*error), err error) {
	f, done, err := s.readFile()
	if err != nil {
		return nil, nil, err
	}
	return f.readers, done, nil
}

// readFile is reader for who needs to know how the generation was built.
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

// page is one page of a list, and the cursor of the next; "" when there is none.
func page[S, T any](ctx context.Context, s *Store, t *table[S, T], q Query) (items []T, next string, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, "", err
	}
	defer done(&err)
	w, err := t.where(q)
	if err != nil {
		return nil, "", err
	}
	column, descending, err := t.order(q.Sort)
	if err != nil {
		return nil, "", err
	}
	by := column
	if descending {
		by += " DESC"
	}
	if err := w.after(q.Cursor, t.name, by, t.key); err != nil {
		return nil, "", err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	few, err := t.narrow(ctx, db, w, column)
	if err != nil {
		return nil, "", err
	}
	if !few {
		if err := t.sortable(ctx, db, w, column); err != nil {
			return nil, "", err
		}
	}
	read := column
	if few {
		read = ""
	}
	order := " ORDER BY " + by + ", provider, " + t.key
	// The keys first, and then their rows: what is sorted, or passed over, is short, and may stand in an index as a whole. A row that only an index has
	// is read as nulls, which is damage, and not passed over.
	text := w.with + t.selectColumns() + " FROM (SELECT provider AS key_provider, " + t.key + " AS key_id FROM " + w.from(t.name) + w.sql(read) + order + " LIMIT ?) LEFT JOIN " +
		t.name + " ON provider = key_provider AND " + t.key + " = key_id" + order
	found, err := db.QueryContext(ctx, text, append(w.args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	items = []T{}
	var last position
	held, most := 0, cmp.Or(q.Bytes, PageBytes)
	for found.Next() {
		if len(items) == limit || held >= most {
			return items, last.cursor(), found.Close()
		}
		var key rowKey
		var state S
		if err := found.Scan(append([]any{&key.provider, &key.id}, t.pointers(&state)...)...); err != nil {
			return nil, "", err
		}
		items = append(items, t.item(key.provider, key.id, &state, q.Now))
		held += t.weight(&state)
		last = position{t.name, by, t.sortValue(column, key, &state), key.provider, key.id}
	}
	return items, "", found.Err()
}

// one is one row, with its timeline put where put says.
func one[S, T any](ctx context.Context, s *Store, t *table[S, T], provider, id string, now time.Time, put func(*T, []TimelineEntry)) (_ *T, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	var key rowKey
	var state S
	err = db.QueryRowContext(ctx, t.selectSQL()+" WHERE provider = ? AND "+t.key+" = ?", provider, id).
		Scan(append([]any{&key.provider, &key.id}, t.pointers(&state)...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	item := t.item(provider, id, &state, now)
	entries, err := timeline(ctx, db, t.name, rowKey{provider, id}, TimelineLimit)
	if err != nil {
		return nil, err
	}
	put(&item, entries)
	return &item, nil
}

// timeline is the newest events of a row, at most limit, ascending.
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

// order is the column that a list is ordered by.
func (t *table[S, T]) order(sort string) (column string, descending bool, err error) {
	if sort == "" {
		sort = "-last_event_at"
	}
	column, descending = strings.CutPrefix(sort, "-")
	if !slices.Contains(t.sorts, column) {
		return "", false, fmt.Errorf("%w: %s cannot be sorted by %q, only by %s", ErrQuery, t.name, column, strings.Join(t.sorts, ", "))
	}
	return column, descending, nil
}

// position is where in a list a row stands. In another list, or in another order, it is nowhere.
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

// after adds the condition that a row of the list, which is ordered by a column, or a column and DESC, comes after the cursor.
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

// sortOf is how Query.Sort asks for the order.
func sortOf(by string) string {
	if column, descending := strings.CutSuffix(by, " DESC"); descending {
		return "-" + column
	}
	return by
}

// sortValue is what stands in the column of a row that has been read.
func (t *table[S, T]) sortValue(column string, key rowKey, s *S) any {
	switch column {
	case "provider":
		return key.provider
	case t.key:
		return key.id
	}
	columns := append(t.columns(), t.derived...)
	at := slices.Index(columns, column)
	return plainValue(t.values(s)[at])
}

// count is how many rows the query matches, CountLimit+1 at most.
func count[S, T any](ctx context.Context, s *Store, t *table[S, T], q Query) (n int, err error) {
	db, done, err := s.reader()
	if err != nil {
		return 0, err
	}
	defer done(&err)
	w, err := t.where(q)
	if err != nil {
		return 0, err
	}
	order := ""
	if !q.ExpiresFrom.IsZero() || !q.ExpiresUntil.IsZero() {
		order = t.ends // the index of ends knows most of what else is asked, so that the rows themselves need not be read
	}
	if _, err := t.narrow(ctx, db, w, order); err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, w.with+"SELECT count(*) FROM (SELECT 1 FROM "+w.from(t.name)+w.sql(order)+" LIMIT ?)", append(w.args, CountLimit+1)...).Scan(&n)
	return n, err
}

// named are the rows that bear one of the names, as selected has them.
func named[S, T any](ctx context.Context, s *Store, t *table[S, T], now time.Time, truncated *[]string, names ...string) ([]T, error) {
	return selected(ctx, s, t, now, truncated, func(w *where) {
		for _, name := range names {
			w.found = append(w.found, "SELECT provider, id FROM names WHERE model = ? AND reversed = ?")
			w.foundArgs = append(w.foundArgs, t.name, schema.ReverseName(name))
		}
	})
}

// selected are the rows of the list that meet a condition, MaxLimit or PageBytes at most, most recent first. The list's name is put to truncated where
// there are more.
func selected[S, T any](ctx context.Context, s *Store, t *table[S, T], now time.Time, truncated *[]string, condition func(*where)) (items []T, err error) {
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
	found, err := db.QueryContext(ctx, w.with+t.selectColumns()+" FROM "+w.from(t.name)+w.sql("")+" ORDER BY last_event_at DESC, provider, "+t.key+" LIMIT ?", append(w.args, MaxLimit+1)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	items, more, err := t.items(found, now)
	if more {
		*truncated = append(*truncated, t.name)
	}
	return items, err
}

// items are the rows that were found, MaxLimit or PageBytes at most, and whether there are more.
func (t *table[S, T]) items(found *sql.Rows, now time.Time) (items []T, more bool, err error) {
	items = []T{}
	for held := 0; found.Next(); {
		if len(items) == MaxLimit || held >= PageBytes {
			return items, true, nil
		}
		var key rowKey
		var state S
		if err := found.Scan(append([]any{&key.provider, &key.id}, t.pointers(&state)...)...); err != nil {
			return nil, false, err
		}
		items = append(items, t.item(key.provider, key.id, &state, now))
		held += t.weight(&state)
	}
	return items, false, found.Err()
}

// wildcardOf is the wildcard that covers name: *.example.com for www.example.com.
func wildcardOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return "*." + parent
}
