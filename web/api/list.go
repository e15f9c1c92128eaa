// Package api answers programs: lists and events in JSON, and lists as CSV.
package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
)

// List answers requests for the rows of one read model: a page of the API, or all of them as a download.
type List[T any] struct {
	Spec   *projections.Spec
	Fixed  bool                       // always newest first, filtered by provider at most
	Cells  map[string]func(*T) string // of the CSV, where a column is not simply the API's value
	Find   func(context.Context, projections.Query) (items []T, next string, err error)
	Now    func() time.Time
	Logger *slog.Logger
}

// Parameters names the parameters that the list knows.
func (l *List[T]) Parameters() []string {
	names := []string{"limit", "cursor", "provider"}
	if !l.Fixed {
		names = append(names, "q", "state", "sort")
	}
	if l.Spec.Ends != "" {
		names = append(names, address.ExpiresFrom, address.ExpiresUntil)
	}
	return names
}

// Query reads the request's query of this list. It refuses what the list has no answer to rather than overlook it.
func (l *List[T]) Query(r *http.Request) (projections.Query, error) {
	q, err := answer.ReadQuery(r.URL.Query(), l.Now())
	if err == nil {
		err = answer.NoMoment(r.URL.Query(), "a list")
	}
	if err == nil && l.Fixed && (q.Q != "" || q.State != "" || q.Sort != "" || !q.ExpiresFrom.IsZero() || !q.ExpiresUntil.IsZero()) {
		err = answer.Wrong("the %s is always newest first and can only be filtered by provider", l.Spec.Name)
	}
	if field := strings.TrimPrefix(q.Sort, "-"); err == nil && slices.Contains(l.Spec.Covert, field) {
		err = answer.Wrong("%s are not sorted by %s, because the address of the next page would tell of a person", l.Spec.Name, field)
	}
	return q, err
}

// API answers with a page of the list.
func (l *List[T]) API(w http.ResponseWriter, r *http.Request) error {
	q, err := l.Query(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return l.send(w, r, q, portion{rows: cmp.Or(q.Limit, projections.DefaultLimit), bytes: answer.PageBytes}, itemsFormat[T]())
}

// texts returns what makes each column of the CSV, named as in the API.
func (l *List[T]) texts() []func(*T) string {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Index
	}
	texts := make([]func(*T) string, len(l.Spec.CSV))
	for i, name := range l.Spec.CSV {
		texts[i] = l.Cells[name]
		if index := fields[name]; texts[i] == nil {
			texts[i] = func(item *T) string { return cellText(reflect.ValueOf(item).Elem().FieldByIndex(index)) }
		}
	}
	return texts
}

// cellText formats a value of the API for a cell.
func cellText(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch v := v.Interface().(type) {
	case []string:
		return strings.Join(v, " ")
	default:
		return fmt.Sprint(v)
	}
}

// CSV sends the whole list as filtered.
func (l *List[T]) CSV(w http.ResponseWriter, r *http.Request) error {
	record, texts := slices.Clone(l.Spec.CSV), l.texts()
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	if err := out.Write(record); err != nil {
		return err
	}
	return l.export(w, r, "text/csv; charset=utf-8", "csv", format[T]{
		rows: func(items []T) ([]byte, error) {
			for i := range items {
				for j, text := range texts {
					record[j] = harmless(text(&items[i]))
				}
				if err := out.Write(record); err != nil {
					return nil, err
				}
			}
			out.Flush()
			rows := bytes.Clone(b.Bytes())
			b.Reset()
			return rows, out.Error()
		},
		end: func(string) string { return "" },
	})
}

// JSON sends the whole list as filtered, in the shape of the API's lists.
func (l *List[T]) JSON(w http.ResponseWriter, r *http.Request) error {
	f := itemsFormat[T]()
	end := f.end
	f.end = func(string) string { return end("") } // so many rows were asked for, and there they are
	return l.export(w, r, "application/json", "json", f)
}

// format writes items as they come; rows is called in order, at least once.
type format[T any] struct {
	rows func(items []T) ([]byte, error)
	end  func(next string) string
}

// itemsFormat returns the shape of the API's lists, with each item on a line.
func itemsFormat[T any]() format[T] {
	before := `{"items":[`
	return format[T]{
		rows: func(items []T) ([]byte, error) {
			var b bytes.Buffer
			if len(items) == 0 {
				b.WriteString(before)
				before = ""
			}
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			for i := range items {
				b.WriteString(before)
				if err := enc.Encode(&items[i]); err != nil {
					return nil, err
				}
				before = ","
			}
			return b.Bytes(), nil
		},
		end: func(next string) string { return `],"next_cursor":"` + next + "\"}\n" }, // a cursor needs no escaping: it is a number or base64
	}
}

// export sends the whole list. A row that changes meanwhile moves to the front of the default order, where it would be
// missed; so without an order that was asked for, the list goes by what never changes.
func (l *List[T]) export(w http.ResponseWriter, r *http.Request, contentType, suffix string, f format[T]) error {
	q, err := l.Query(r)
	if err != nil {
		return err
	}
	q.Sort = cmp.Or(q.Sort, l.stableSort())
	most := portion{rows: cmp.Or(q.Limit, math.MaxInt), bytes: math.MaxInt}
	if r.Method == http.MethodHead {
		most.bytes = 0
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="certtrail-%s.%s"`, l.Spec.Name, suffix))
	if err := l.send(w, r, q, most, f); err != nil {
		w.Header().Del("Content-Disposition")
		return err
	}
	return nil
}

// stableSort names the field to sort by that never changes in a row; "" where rows never change.
func (l *List[T]) stableSort() string {
	if l.Fixed {
		return ""
	}
	return l.Spec.Key
}

// portion limits how much of a list is sent: it ends with the row that reaches either limit.
type portion struct{ rows, bytes int }

// firstRows limits the first read; each further read takes twice as many rows, as far as chunkBytes allow.
const firstRows = projections.DefaultLimit

// send writes a list from where q begins, piece by piece, so that its size does not matter here. It returns an error
// only before the first piece.
func (l *List[T]) send(w http.ResponseWriter, r *http.Request, q projections.Query, most portion, f format[T]) error {
	q.Bytes = answer.ChunkBytes
	for first, rows := true, firstRows; ; first = false {
		q.Limit = min(rows, most.rows)
		items, next, err := l.Find(r.Context(), q)
		var piece []byte
		if err == nil {
			piece, err = f.rows(items)
		}
		if err == nil {
			err = answer.Hold(w, len(piece))
		}
		switch {
		case err == nil:
		case first:
			return err
		case errors.Is(err, answer.ErrFull) && most.bytes <= answer.PageBytes:
			_, _ = io.WriteString(w, f.end(q.Cursor)) // a page may end early
			return nil
		default:
			breakOff(r.Context(), l.Logger, "a list of "+l.Spec.Name, err)
		}
		if _, err := w.Write(piece); err != nil {
			return nil // the peer is gone, so there is nobody to tell
		}
		most.rows, most.bytes = most.rows-len(items), most.bytes-len(piece)
		if next == "" || most.rows <= 0 || most.bytes <= 0 {
			_, _ = io.WriteString(w, f.end(next)) // likewise
			return nil
		}
		q.Cursor, rows = next, min(2*max(len(items), 1), projections.MaxLimit)
	}
}

// harmless keeps spreadsheets from running a cell that a provider, or who wrote to it, made look like a formula. A
// whole number is none.
func harmless(cell string) string {
	if _, err := strconv.Atoi(cell); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
