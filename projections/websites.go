package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

// Website shows a website or a database that a provider watches, or an account there, with the last thing the provider
// said of it.
type Website struct {
	Provider string `json:"provider"`
	Kind     string `json:"kind"` // website, database or account
	ID       string `json:"id"`
	State    string `json:"state"` // the last event without its prefix: malware_issue_found
	Row
}

// Websites keeps the websites and databases.
var Websites = define(lastReport(Spec{
	Name: lifecycle.Websites, Title: "Websites and databases", Noun: "website", Key: "id",
	CSV: []string{"provider", "kind", "id", "state", "event_count", "first_event_at", "last_event_at"},
}))

// Accounts keeps the accounts at providers.
var Accounts = define(lastReport(Spec{Name: lifecycle.Accounts, Noun: "account", Key: "id"}))

// lastReport makes a read model that keeps the last thing its provider said of each row.
func lastReport(spec Spec) Table[lifecycle.Website, Website] {
	spec.Sorts, spec.Exact = []string{"last_event_at", "state", "kind", "id", "provider"}, []string{"id"}
	return Table[lifecycle.Website, Website]{
		Spec: spec,
		columns: func(w *lifecycle.Website) []Column {
			return []Column{
				{"kind", &w.Kind},
				{"state", &w.State}, // the last event
			}
		},
		life:    func(w *lifecycle.Website) *lifecycle.Life { return &w.Life },
		fold:    lifecycle.Website.Fold,
		changes: lifecycle.Website.Changes,
		item: func(k Key, w *lifecycle.Website, _ time.Time) Website {
			return Website{Provider: k.Provider, Kind: w.Kind, ID: k.ID, State: w.State, Row: rowOf(&w.Life)}
		},
	}
}
