package projections

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

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

// whole stands for a struct of which everything may be unknown.
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

// factsText writes f as the timeline keeps it: "" where there are none.
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

// plainValue returns the value that database/sql would store for v.
func plainValue(v any) any {
	plain, err := driver.DefaultParameterConverter.ConvertValue(v)
	if err != nil {
		return ""
	}
	return plain
}
