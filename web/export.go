package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// field is one column of a CSV: its name in the API, and its text.
type field[T any] struct {
	name string
	text func(*T) string
}

// csv is the whole list as filtered.
func (l *list[T]) csv(w http.ResponseWriter, r *http.Request) error {
	record := make([]string, len(l.fields))
	for i, f := range l.fields {
		record[i] = f.name
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	if err := out.Write(record); err != nil {
		return err
	}
	return l.export(w, r, exportFormat[T]{
		contentType: "text/csv; charset=utf-8", suffix: "csv",
		page: func(items []T) ([]byte, error) {
			for i := range items {
				for j, f := range l.fields {
					record[j] = harmless(f.text(&items[i]))
				}
				if err := out.Write(record); err != nil {
					return nil, err
				}
			}
			out.Flush()
			page := bytes.Clone(b.Bytes())
			b.Reset()
			return page, out.Error()
		},
	})
}

// json is the whole list as filtered, in the shape of the API's lists.
func (l *list[T]) json(w http.ResponseWriter, r *http.Request) error {
	before := `{"items":[` + "\n"
	return l.export(w, r, exportFormat[T]{
		contentType: "application/json", suffix: "json", end: "],\"next_cursor\":\"\"}\n",
		page: func(items []T) ([]byte, error) {
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
	})
}

// exportFormat writes pages of items; page is called in order, at least once.
type exportFormat[T any] struct {
	contentType, suffix, end string
	page                     func(items []T) ([]byte, error)
}

// export sends the whole list page by page, so that its size does not matter here. A row that changes meanwhile moves to the front of the
// default order, where it would be missed; so without an order that was asked for, the list goes by what never changes.
func (l *list[T]) export(w http.ResponseWriter, r *http.Request, f exportFormat[T]) error {
	q, err := l.query(r)
	if err != nil {
		return err
	}
	if q.Sort == "" {
		q.Sort = l.exportSort
	}
	limit := q.Limit // asked for: only so many rows
	q.Limit = projections.MaxLimit
	if limit > 0 {
		q.Limit = limit
	}
	for first := true; ; first = false {
		items, next, err := l.find(r.Context(), q)
		var page []byte
		if err == nil {
			page, err = f.page(items)
		}
		if err != nil && first {
			return err
		}
		if err != nil {
			// Half a list must not look like a whole one, so the connection is cut.
			l.s.Logger.Error("a download broke off", "list", l.model, "error", err)
			panic(http.ErrAbortHandler)
		}
		if first {
			w.Header().Set("Content-Type", f.contentType)
			w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="certtrail-%s.%s"`, l.model, f.suffix))
		}
		if _, err := w.Write(page); err != nil {
			return nil // the peer is gone, so there is nobody to tell
		}
		if next == "" || limit > 0 || r.Method == http.MethodHead {
			break
		}
		q.Cursor = next
	}
	w.Write([]byte(f.end))
	return nil
}

// harmless keeps spreadsheets from running a cell that a provider, or who wrote to it, made look like a formula. A whole number is none.
func harmless(cell string) string {
	if _, err := strconv.Atoi(cell); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func timeText(t *schema.Time) string {
	if t == nil {
		return ""
	}
	return t.String()
}

func numberText(n uint64) string { return strconv.FormatUint(n, 10) }

func intText(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}
