package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

var websites, accounts = lastWords(lifecycle.Websites), lastWords(lifecycle.Accounts)

// lastWords is a read model that keeps the last thing its provider said of each row.
func lastWords(name string) *table[lifecycle.Website, Website] {
	return &table[lifecycle.Website, Website]{
		name: name, key: "id",
		fields: []string{"kind", "state"},
		bind:   func(w *lifecycle.Website) []any { return []any{&w.Kind, &w.State} },
		life:   func(w *lifecycle.Website) *lifecycle.Life { return &w.Life },
		fold:   lifecycle.Website.Fold,
		sorts:  []string{"last_event_at", "state", "kind", "id", "provider"},
		exact:  []string{"id"},
		item: func(provider, id string, w *lifecycle.Website, _ time.Time) Website {
			return Website{
				Provider: provider, Kind: w.Kind, ID: id, State: w.State,
				Row: rowOf(&w.Life),
			}
		},
	}
}
