package projections

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// SortsAny lists the columns by which a list of any length may be ordered, by others only up to SortLimit rows: an
// index has its rows in that order, so that a page reads no others.
func (m *Spec) SortsAny() []string {
	return append([]string{"last_event_at", m.Key}, m.InOrder...)
}

// order returns the column that a list is ordered by.
func (m *Spec) order(sort string) (column string, descending bool, err error) {
	if sort == "" {
		sort = "-last_event_at"
	}
	column, descending = strings.CutPrefix(sort, "-")
	if !slices.Contains(m.Sorts, column) {
		return "", false, fmt.Errorf("%w: %s cannot be sorted by %q, only by %s", ErrQuery, m.Name, column, strings.Join(m.Sorts, ", "))
	}
	return column, descending, nil
}

// sortable refuses to order by a column what is so long that it would have to be read whole for each of its pages.
func (m *Spec) sortable(ctx context.Context, db *sql.DB, w *where, column string) error {
	if slices.Contains(m.SortsAny(), column) {
		return nil
	}
	few, err := findsFew(ctx, db, SortLimit, "SELECT 1 FROM "+m.Name+w.sql(""), w.args)
	if err == nil && !few {
		err = fmt.Errorf("%w: more than %d %s cannot be sorted by %s, only by %s; choose fewer of them first, or sort by one of these",
			ErrQuery, SortLimit, m.Name, column, strings.Join(m.SortsAny(), ", "))
	}
	return err
}
