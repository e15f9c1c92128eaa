package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Scan shows one run of a scanner over a target.
type Scan struct {
	Provider    string       `json:"provider"`
	ID          string       `json:"id"`
	State       string       `json:"state"` // started, completed, canceled, failed
	TargetID    string       `json:"target_id,omitempty"`
	Host        string       `json:"host,omitempty"`
	Profile     string       `json:"profile,omitempty"`
	StartedAt   *schema.Time `json:"started_at,omitempty"`
	CompletedAt *schema.Time `json:"completed_at,omitempty"` // when it ended, however it did
	Lows        *int         `json:"lows,omitempty"`
	Mediums     *int         `json:"mediums,omitempty"`
	Highs       *int         `json:"highs,omitempty"`
	Row
}

// Scans keeps the runs of scanners.
var Scans = define(Table[lifecycle.Scan, Scan]{
	Spec: Spec{
		Name: lifecycle.Scans, Title: "Scans", Noun: "scan", Key: "id",
		Sorts:  []string{"last_event_at", "first_event_at", "state", "started_at", "completed_at", "target_id", "host", "id", "provider"},
		States: equalTo("state", lifecycle.ScanStarted, lifecycle.Completed, lifecycle.Canceled, lifecycle.Failed),
		Exact:  []string{"id", "target_id", "host"},
		named:  []namedIn{aloneIn("host")},
		CSV: []string{"provider", "id", "state", "target_id", "host", "profile", "started_at", "completed_at", "lows", "mediums", "highs",
			"first_event_at", "last_event_at"},
	},
	columns: func(s *lifecycle.Scan) []Column {
		return []Column{
			{"state", &s.State},
			{"target_id", &s.TargetID},
			{"host", &s.Host},
			{"about", whole(&s.About)},
		}
	},
	derived: func(s *lifecycle.Scan) []Column {
		return []Column{{"started_at", timeText(s.About.StartedAt)}, {"completed_at", timeText(s.About.CompletedAt)}}
	},
	life:    func(s *lifecycle.Scan) *lifecycle.Life { return &s.Life },
	fold:    lifecycle.Scan.Fold,
	changes: lifecycle.Scan.Changes,
	names:   func(_ string, s *lifecycle.Scan) []string { return []string{s.Host} },
	item: func(k Key, s *lifecycle.Scan, _ time.Time) Scan {
		return Scan{
			Provider: k.Provider, ID: k.ID, State: s.State, TargetID: s.TargetID, Host: s.Host, Profile: s.About.Profile, StartedAt: s.About.StartedAt,
			CompletedAt: s.About.CompletedAt, Lows: s.About.Lows, Mediums: s.About.Mediums, Highs: s.About.Highs, Row: rowOf(&s.Life),
		}
	},
})
