package projections

import (
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Spec says what a read model is called, and how its rows are found, chosen, ordered and taken away.
type Spec struct {
	Name    string    // of its table, its list and the keys of its rows: "orders"
	Title   string    // of its list: "Orders"; empty: it has none
	Noun    string    // one of its rows in a sentence: "order"
	Key     string    // the column beside provider: "id"
	Sorts   []string  // columns that lists may be ordered by
	InOrder []string  // those of them that an index has in order, beside last_event_at and Key
	States  []State   // to choose by, as a form lists them; none: whatever stands in the column state
	ByState bool      // an index has the rows by state
	Ends    string    // the column that says when a row's validity ends; empty: it has none
	Exact   []string  // columns that a search compares whole
	named   []namedIn // where a row's domain names stand
	only    string    // a condition on all its lists
	CSV     []string  // what a download has of a row, named as in the API
	Persons bool      // its rows tell of people: whom somebody looks for stands in no other list and no other address
	Covert  []string  // what pages do not sort it by: the next page's URL would contain personal data
}

// State chooses rows of a model, by a condition in SQL.
type State struct {
	Name      string
	condition func(now string) (string, []any)
}

// StateNames lists the states to choose by.
func (m *Spec) StateNames() []string {
	var names []string
	for _, s := range m.States {
		names = append(names, s.Name)
	}
	return names
}

// Column pairs one column of a row's table with what stands in it: a value, or a pointer to where it is read to.
type Column struct {
	Name  string
	Value any
}

// Model serves a read model, whatever its rows are made of. A state is a pointer to one of package lifecycle's, an item
// a pointer to what people see of it.
type Model interface {
	About() *Spec
	NewState() any
	Fold(state any, seq uint64, e *schema.Event) (next any, err error)
	Changes(before, after any, at time.Time) []lifecycle.Changed
	Life(state any) *lifecycle.Life
	Names(id string, state any) []string // the domain names that the row is found by
	Item(k Key, state any, now time.Time) any

	selectColumns() string
	scanTargets(state any) []any // for selectColumns, without provider and key
	sortValue(column string, k rowKey, state any) any
	weigh(state any) int

	tables() string // its DDL
	compared() []compared
	prepare(db *database, bulk bool) (rows, error)
}

// Table makes a read model: it says how a state S of package lifecycle stands in SQL, and which item T people see of
// it. Its columns are provider, the key, those of a state, those of Life and the derived ones, in this order.
type Table[S, T any] struct {
	Spec
	columns func(*S) []Column // of a state: pointers, to read and to write
	derived func(*S) []Column // that follow from it, for lists; nil: none
	life    func(*S) *lifecycle.Life
	fold    func(S, uint64, *schema.Event) S
	changes func(before, after S, at time.Time) []lifecycle.Changed
	names   func(id string, s *S) []string // nil: it is found by none
	item    func(k Key, s *S, now time.Time) T
	apart   *apart[S] // nil: nothing of a row stands apart

	all []Column // every column but provider and key, of a state that holds nothing
	own int      // so many of them make up the state
}

// apart says which facts of a row stand in a table of their own, name_apart: those that are too heavy for lists, and
// for the rows held in memory to fold.
type apart[S any] struct {
	columns func(*S) []Column           // pointers
	brought func(before, after *S) bool // whether a fold brought others than there were
	drop    func(*S)                    // takes them out of a state
}

// define completes a table.
func define[S, T any](t Table[S, T]) *Table[S, T] {
	var none S
	t.all = t.stateColumns(&none)
	t.own = len(t.all)
	if t.derived != nil {
		t.all = append(t.all, t.derived(&none)...)
	}
	return &t
}

// stateColumns returns the columns that make up a state.
func (t *Table[S, T]) stateColumns(s *S) []Column {
	l := t.life(s)
	return append(t.columns(s), Column{"first_event_at", timeColumn{&l.FirstEventAt}}, Column{"last_event_at", timeColumn{&l.LastEventAt}},
		Column{"last_event_seq", &l.LastEventSeq}, Column{"event_count", &l.EventCount}, Column{"unreadable", &l.Unreadable})
}

func namesOf(columns []Column) []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return names
}

// About implements Model; likewise the methods after it.
func (t *Table[S, T]) About() *Spec { return &t.Spec }

func (t *Table[S, T]) NewState() any { return new(S) }

func (t *Table[S, T]) Fold(state any, seq uint64, e *schema.Event) (any, error) {
	next, err := foldSafely(t.fold, *state.(*S), seq, e)
	return &next, err
}

func (t *Table[S, T]) Changes(before, after any, at time.Time) []lifecycle.Changed {
	if t.changes == nil {
		return nil
	}
	return t.changes(*before.(*S), *after.(*S), at)
}

func (t *Table[S, T]) Life(state any) *lifecycle.Life { return t.life(state.(*S)) }

func (t *Table[S, T]) Names(id string, state any) []string {
	if t.names == nil {
		return nil
	}
	return t.names(id, state.(*S))
}

func (t *Table[S, T]) Item(k Key, state any, now time.Time) any {
	item := t.item(k, state.(*S), now)
	if p, ok := any(&item).(interface{ row() *Row }); ok {
		p.row().Key = k
	}
	return &item
}

// pointers returns where the columns of a state are read to and written from.
func (t *Table[S, T]) pointers(s *S) []any {
	columns := t.stateColumns(s)
	values := make([]any, len(columns), len(t.all)+2)
	for i := range columns {
		values[i] = columns[i].Value
	}
	return values
}

func (t *Table[S, T]) scanTargets(state any) []any { return t.pointers(state.(*S)) }

func (t *Table[S, T]) selectColumns() string {
	return "SELECT provider, " + t.Key + ", " + strings.Join(namesOf(t.all[:t.own]), ", ")
}

func (t *Table[S, T]) insertSQL() string {
	columns := append([]string{"provider", t.Key}, namesOf(t.all)...)
	return "INSERT INTO " + t.Name + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

func (t *Table[S, T]) apartName() string { return t.Name + "_apart" }

// apartSQL stores what stands apart, in place of what did before.
func (t *Table[S, T]) apartSQL() string {
	names := namesOf(t.apart.columns(new(S)))
	sets := make([]string, len(names))
	for i, name := range names {
		sets[i] = name + " = excluded." + name
	}
	return "INSERT INTO " + t.apartName() + " (provider, " + t.Key + ", " + strings.Join(names, ", ") + ") VALUES (?, ?" + strings.Repeat(", ?", len(names)) +
		") ON CONFLICT DO UPDATE SET " + strings.Join(sets, ", ")
}

func (t *Table[S, T]) updateSQL() string {
	return "UPDATE " + t.Name + " SET " + strings.Join(namesOf(t.all), " = ?, ") + " = ? WHERE provider = ? AND " + t.Key + " = ?"
}

// values returns the arguments of insertSQL and updateSQL, without provider and key.
func (t *Table[S, T]) values(s *S) []any {
	values := t.pointers(s)
	if t.derived != nil {
		for _, c := range t.derived(s) {
			values = append(values, c.Value)
		}
	}
	return values
}

// sortValue returns what stands in the column of a row that has been read.
func (t *Table[S, T]) sortValue(column string, k rowKey, state any) any {
	switch column {
	case "provider":
		return k.provider
	case t.Key:
		return k.id
	}
	at := slices.Index(namesOf(t.all), column)
	return plainValue(t.values(state.(*S))[at])
}

func (t *Table[S, T]) tables() string {
	var b strings.Builder
	t.table(&b, t.Name, t.all)
	if t.apart != nil {
		t.table(&b, t.apartName(), t.apart.columns(new(S)))
	}
	return b.String()
}

func (t *Table[S, T]) table(b *strings.Builder, name string, columns []Column) {
	b.WriteString("CREATE TABLE " + name + " (\n  provider TEXT NOT NULL,\n  " + t.Key + " TEXT NOT NULL,\n")
	for _, c := range columns {
		b.WriteString("  " + c.Name + " " + sqlType(c.Value) + " NOT NULL,\n")
	}
	b.WriteString("  PRIMARY KEY (provider, " + t.Key + ")\n) STRICT, WITHOUT ROWID;\n")
}

// sqlType returns the type of the column that holds v: text that is not known is empty, so that lists can be ordered
// and paged by it.
func sqlType(v any) string {
	if _, ok := v.(driver.Valuer); ok {
		return "TEXT"
	}
	switch v.(type) {
	case string, *string:
		return "TEXT"
	}
	return "INTEGER"
}

func (t *Table[S, T]) compared() []compared {
	list := []compared{{name: t.Name, key: []string{"provider", t.Key}}}
	if t.apart != nil {
		list = append(list, compared{name: t.apartName(), key: []string{"provider", t.Key}})
	}
	return list
}

func (t *Table[S, T]) prepare(db *database, bulk bool) (rows, error) { return newRowSet(db, t, bulk) }
