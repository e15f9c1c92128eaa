package projections

import (
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// The items below are rows of the read models as people and programs see them: the JSON of the API, and what the pages
// are made of. An absent key is not known. Times are RFC 3339 UTC.

// Row holds the part that every item has: its events, whatever they make of it.
type Row struct {
	Key Key `json:"-"`

	Unreadable   string          `json:"unreadable,omitempty"` // what could not be read of the last event that brought such a part
	FirstEventAt schema.Time     `json:"first_event_at"`
	LastEventAt  schema.Time     `json:"last_event_at"`
	LastEventSeq uint64          `json:"last_event_seq"`
	EventCount   int             `json:"event_count"`
	Timeline     []TimelineEntry `json:"timeline,omitempty"` // only of one row, ascending
	Then
}

func rowOf(l *lifecycle.Life) Row {
	return Row{Unreadable: l.Unreadable, FirstEventAt: l.FirstEventAt, LastEventAt: l.LastEventAt, LastEventSeq: l.LastEventSeq, EventCount: l.EventCount}
}

// row returns the row that an item embeds.
func (r *Row) row() *Row { return r }

// RowOf returns the row that the item at p embeds, as all items do.
func RowOf(p any) *Row { return p.(interface{ row() *Row }).row() }

// TimelineEntry shows one event in the life of a row.
type TimelineEntry struct {
	Seq     uint64          `json:"seq"`
	Time    schema.Time     `json:"time"`
	Type    string          `json:"type"`              // the CloudEvents type
	Facts   lifecycle.Facts `json:"-"`                 // what its sentence is made of
	Summary string          `json:"summary"`           // the sentence, which package words makes for those who show it; empty until then
	Changes []Changed       `json:"changes,omitempty"` // what it changed of the row; told of the newest ChangesLimit events of one row
}

// Changed names one thing that an event changed.
type Changed = lifecycle.Changed

// Then tells the moment of an item that was asked for as of one, and is empty in all others.
type Then struct {
	AsOfSeq uint64          `json:"as_of_seq,omitempty"` // the row's last event that is folded
	AsOf    *schema.Time    `json:"as_of,omitempty"`     // the clock
	Later   []TimelineEntry `json:"-"`                   // the row's events after AsOfSeq, ascending
}

// DomainDetail shows all that is known of one domain name, over all providers.
type DomainDetail struct {
	Name         string        `json:"name"`
	Validations  []Domain      `json:"validations"`
	Orders       []Order       `json:"orders"`
	Certificates []Certificate `json:"certificates"`
	DNSSEC       []DNSSEC      `json:"dnssec"`
	Targets      []Target      `json:"targets"`             // of scanners, on the host of that name
	Findings     []Finding     `json:"findings"`            // about TLS, on that host
	Truncated    []string      `json:"truncated,omitempty"` // the models of which there are more rows than the most recent that stand here
	Then
	Events []TimelineEntry `json:"-"` // every event of its parts, of all times, ascending: the newest TimelineLimit
}

// Quarantined shows an event that changed no row, and why: a delivery that could not be read or that nobody documents,
// or an event that a fold could not take.
type Quarantined struct {
	Seq      uint64           `json:"seq"`
	Time     schema.Time      `json:"time"`
	Provider string           `json:"provider"`
	Reason   string           `json:"reason"`
	Original *schema.Original `json:"original,omitempty"`
}

// Key names one row: its read model, provider and id, as /live sends it.
type Key struct {
	Model    string // orders, certificates, domains, dnssec, organizations, websites, accounts, users, targets, scans, findings, attention, quarantine
	Provider string
	ID       string
}

// Change tells what one event (or a batch of them) changed: the keys of the rows, and the last event's sequence.
type Change struct {
	Seq  uint64
	Rows []Key
}
