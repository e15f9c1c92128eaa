package projections

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// table is one read model: how a state S of package lifecycle stands in SQL, and which item T people see of it.
// Its columns are provider, key, those of fields, those of Life and those of derived, in this order.
type table[S, T any] struct {
	name    string
	key     string // the column beside provider: "id"
	fields  []string
	derived []string // columns that follow from the state, for lists

	bind   func(*S) []any // pointers to what fields hold, to read and to write
	life   func(*S) *lifecycle.Life
	derive func(*S) []any
	fold   func(S, uint64, *schema.Event) S
	item   func(provider, id string, s *S, now time.Time) T
	names  func(key string, s *S) []string // domain names it is found by
	named  []namedIn                       // where those names stand in a row

	sorts   []string                                    // fields that lists may be ordered by
	inOrder []string                                    // those of them that an index has in order, beside last_event_at and key
	states  map[string]func(now string) (string, []any) // SQL condition of each state
	only    string                                      // a condition on all its lists
	exact   []string                                    // columns a search compares whole
	byState bool                                        // an index has the rows by state
	ends    string                                      // the column that says when a row's validity ends; "": it has none
}

var lifeColumns = []string{"first_event_at", "last_event_at", "last_event_seq", "event_count", "unreadable"}

// columns are those that make up a state, without provider and key.
func (t *table[S, T]) columns() []string {
	return append(append([]string(nil), t.fields...), lifeColumns...)
}

// pointers are where columns are read to and written from.
func (t *table[S, T]) pointers(s *S) []any {
	l := t.life(s)
	return append(t.bind(s), timeColumn{&l.FirstEventAt}, timeColumn{&l.LastEventAt}, &l.LastEventSeq, &l.EventCount, &l.Unreadable)
}

func (t *table[S, T]) selectSQL() string { return t.selectColumns() + " FROM " + t.name }

func (t *table[S, T]) selectColumns() string {
	return "SELECT provider, " + t.key + ", " + strings.Join(t.columns(), ", ")
}

func (t *table[S, T]) insertSQL() string {
	columns := append(append([]string{"provider", t.key}, t.columns()...), t.derived...)
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

func (t *table[S, T]) updateSQL() string {
	columns := append(t.columns(), t.derived...)
	return "UPDATE " + t.name + " SET " + strings.Join(columns, " = ?, ") + " = ? WHERE provider = ? AND " + t.key + " = ?"
}

// values are what insertSQL and updateSQL want, without provider and key.
func (t *table[S, T]) values(s *S) []any {
	values := t.pointers(s)
	if t.derive != nil {
		values = append(values, t.derive(s)...)
	}
	return values
}

// timeColumn stands for a time that is always known.
type timeColumn struct{ *schema.Time }

func (c timeColumn) Value() (driver.Value, error) { return c.Time.String(), nil }

func (c timeColumn) Scan(v any) error { return scanTime(v, func(t schema.Time) { *c.Time = t }) }

// optionalTime stands for a time that may not be known.
type optionalTime struct{ p **schema.Time }

func (c optionalTime) Value() (driver.Value, error) { return timeText(*c.p), nil }

func (c optionalTime) Scan(v any) error { return scanTime(v, func(t schema.Time) { *c.p = &t }) }

func timeText(t *schema.Time) string {
	if t == nil {
		return ""
	}
	return t.String()
}

func scanTime(v any, set func(schema.Time)) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a time column holds %T, want text", v)
	}
	if s == "" {
		return nil
	}
	t, err := schema.ParseTime(s)
	if err == nil {
		set(t)
	}
	return err
}

// jsonColumn stands for what is kept as JSON text, the empty value as empty text.
type jsonColumn[V any] struct {
	p     *V
	empty func(V) bool
}

func list(p *[]string) jsonColumn[[]string] {
	return jsonColumn[[]string]{p, func(v []string) bool { return len(v) == 0 }}
}

func object[V ~string](p *map[string]V) jsonColumn[map[string]V] {
	return jsonColumn[map[string]V]{p, func(v map[string]V) bool { return len(v) == 0 }}
}

func times(p *map[string]schema.Time) jsonColumn[map[string]schema.Time] {
	return jsonColumn[map[string]schema.Time]{p, func(v map[string]schema.Time) bool { return len(v) == 0 }}
}

func record[V any](p **V) jsonColumn[*V] {
	return jsonColumn[*V]{p, func(v *V) bool { return v == nil }}
}

// whole is a struct of which everything may be unknown.
func whole[V comparable](p *V) jsonColumn[V] {
	return jsonColumn[V]{p, func(v V) bool { var none V; return v == none }}
}

func (c jsonColumn[V]) Value() (driver.Value, error) {
	if c.empty(*c.p) {
		return "", nil
	}
	b, err := json.Marshal(*c.p)
	return string(b), err
}

func (c jsonColumn[V]) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a JSON column holds %T, want text", v)
	}
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), c.p)
}

// factsText is f as the timeline keeps it: "" where there are none.
func factsText(f lifecycle.Facts) string {
	b, err := json.Marshal(f)
	if err != nil || len(b) == len("{}") { // plain values can always be written
		return ""
	}
	return string(b)
}

// factsColumn stands for an event's facts in the timeline.
type factsColumn struct{ *lifecycle.Facts }

func (c factsColumn) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("the column of facts holds %T, want text", v)
	}
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), c.Facts)
}

// plainValue is what database/sql would store for v.
func plainValue(v any) any {
	plain, err := driver.DefaultParameterConverter.ConvertValue(v)
	if err != nil {
		return ""
	}
	return plain
}
