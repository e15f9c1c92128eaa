package projections

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestAnyLengthIsSortedByIndex: what SortsAny promises an index has in order, forwards and, but for ties, backwards.
func TestAnyLengthIsSortedByIndex(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	db, done, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer done(&err)
	for _, m := range Models() {
		model := m.About()
		for _, field := range model.SortsAny() {
			for _, direction := range []string{"", " DESC"} {
				rows, err := db.Query("EXPLAIN QUERY PLAN SELECT provider, " + model.Key + " FROM " + model.Name + " ORDER BY " + field + direction +
					", provider, " + model.Key + " LIMIT 1")
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
					var a, b, c any
					var detail string
					if err := rows.Scan(&a, &b, &c, &detail); err != nil {
						t.Fatal(err)
					}
					if strings.HasSuffix(detail, "TEMP B-TREE FOR ORDER BY") {
						t.Errorf("%s by %s%s: %s", model.Name, field, direction, detail)
					}
				}
				rows.Close()
			}
		}
	}
}

// TestEnds: a list is chosen by when its rows end where Ends says so, and nowhere else.
func TestEnds(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	for _, m := range Models() {
		model := m.About()
		if _, err := s.Count(t.Context(), model.Name, Query{ExpiresFrom: began, Now: began}); errors.Is(err, ErrQuery) == (model.Ends != "") {
			t.Errorf("%s: %v", model.Name, err)
		}
	}
	if Certificates.Ends == "" || Orders.Ends != "" {
		t.Error("certificates do not end, or orders do")
	}
}

func TestLongListsAreSortedByIndexOnly(t *testing.T) {
	l := newMemoryLog()
	for i := range SortLimit + 1 {
		kind := schema.OrderIssued
		if i == 0 {
			kind = schema.OrderRejected
		}
		l.append(event(i+1, kind, schema.Data{OrderID: fmt.Sprint(i)}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	for sort, refused := range map[string]bool{"": false, "common_name": false, "-id": false, "state_since": true, "-provider": true} {
		if _, _, err := List(t.Context(), s, Orders, Query{Sort: sort, Now: began}); errors.Is(err, ErrQuery) != refused || err != nil && !refused {
			t.Errorf("all by %q: %v", sort, err)
		}
		if few, _, err := List(t.Context(), s, Orders, Query{Sort: sort, State: lifecycle.Rejected, Now: began}); len(few) != 1 || err != nil {
			t.Errorf("the rejected by %q: %d (%v)", sort, len(few), err)
		}
	}
}

// TestCursorsThatNoPageGave asks wrong questions, which are no failures of the database.
func TestCursorsThatNoPageGave(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	for _, v := range []any{map[string]any{"a": 1}, []any{1}, true, nil} {
		_, _, err := List(t.Context(), s, Orders, Query{Cursor: position{"orders", "last_event_at DESC", v, "digicert", "1"}.cursor(), Now: began})
		if !errors.Is(err, ErrQuery) {
			t.Errorf("a cursor at %v: %v", v, err)
		}
	}
	for _, v := range []any{"2026-11-21T22:00:00.000Z", 5} {
		if _, _, err := List(t.Context(), s, Orders, Query{Cursor: position{"orders", "last_event_at DESC", v, "digicert", "1"}.cursor(), Now: began}); err != nil {
			t.Errorf("a cursor at %v: %v", v, err)
		}
	}
}
