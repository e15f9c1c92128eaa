package projections

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// sortsAny are the fields by which a list of any length may be ordered: an index has its rows in that order, so that a page reads no others.
func (t *table[S, T]) sortsAny() []string {
	return append([]string{"last_event_at", t.key}, t.inOrder...)
}

// SortsAny are the fields by which the list of a model may be ordered however long it is, by others only up to SortLimit rows.
func SortsAny(model string) []string {
	return sortsAny[model]
}

var sortsAny = map[string][]string{
	orders.name: orders.sortsAny(), certificates.name: certificates.sortsAny(), domains.name: domains.sortsAny(), dnssecs.name: dnssecs.sortsAny(),
	organizations.name: organizations.sortsAny(), websites.name: websites.sortsAny(), users.name: users.sortsAny(), targets.name: targets.sortsAny(),
	scans.name: scans.sortsAny(), findings.name: findings.sortsAny(),
}

// Ends tells whether the list of a model may be chosen by when its rows end.
func Ends(model string) bool {
	return ends[model] != ""
}

var ends = map[string]string{certificates.name: certificates.ends, domains.name: domains.ends, organizations.name: organizations.ends}

// sortable refuses to order by a column what is so long that it would have to be read whole for each of its pages.
func (t *table[S, T]) sortable(ctx context.Context, db *sql.DB, w *where, column string) error {
	if slices.Contains(t.sortsAny(), column) {
		return nil
	}
	few, err := findsFew(ctx, db, SortLimit, "SELECT 1 FROM "+t.name+w.sql(""), w.args)
	if err == nil && !few {
		err = fmt.Errorf("%w: more than %d %s cannot be sorted by %s, only by %s; choose fewer of them first, or sort by one of these",
			ErrQuery, SortLimit, t.name, column, strings.Join(t.sortsAny(), ", "))
	}
	return err
}
