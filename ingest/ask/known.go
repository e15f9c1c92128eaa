package ask

import (
	"context"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Model names the rows of one kind that certtrail keeps.
type Model string

// The rows that questions, reconciles and notices read.
const (
	Orders       Model = "orders"
	Certificates Model = "certificates"
	Domains      Model = "domains"
	Rotations    Model = "rotations" // of the keys of websites' zones
)

// States that rows are selected by, or that say what of them is due.
const (
	StateExpiring  = "expiring"           // a certificate that should be renewed
	StateExpired   = "expired"            // a certificate that has ended
	StateOverdue   = "rotation_overdue"   // a rotation that has waited for its end for too long
	StateCompleted = "rotation_completed" // a rotation at its end
)

// Known reads the rows that certtrail keeps. Its methods may be called at once from many goroutines.
type Known interface {
	// Row returns one row as of now; false where there is none.
	Row(ctx context.Context, m Model, source, id string, now time.Time) (Row, bool, error)
	// Each yields the selected rows, until yield returns false.
	Each(ctx context.Context, s Selection, yield func(Row) bool) error
	// Await returns once the rows hold the event seq.
	Await(ctx context.Context, seq uint64) error
}

// Changes tells how the rows keep up with the log.
type Changes interface {
	// Current tells, without waiting, whether the rows are in use and hold the event seq.
	Current(ctx context.Context, seq uint64) (bool, error)
	// Rotations calls changed after each change of a rotation, until ctx ends.
	Rotations(ctx context.Context, changed func())
}

// Selection selects rows.
type Selection struct {
	Model  Model
	Source string // "": of all sources
	State  string // "": in any state; expired ones begin with the one that ended last
	Now    time.Time
}

// Row holds what questions, reconciles and notices need of a row. A field that does not belong to its model is zero.
type Row struct {
	Source string
	ID     string // of the order, certificate or website; a domain's name
	State  string
	Heard  time.Time // when the log took its first event
	Seq    uint64    // its last event

	// StateAt is when the last event came that may tell of the state: of orders and certificates, and only from
	// Known.Row.
	StateAt time.Time

	OrderID       string // of a certificate
	CertificateID string // an order's present one
	CommonName    string
	Collected     bool // the certificate itself is known
	NotBefore     time.Time
	NotAfter      time.Time

	Domain      string    // a rotation's zone
	ValidatedAt time.Time // of a domain
	Lapses      time.Time // when its validation does; zero if that is not known
	Unusable    bool      // its validation failed or has ended
	Renewal     time.Time // when the next renewal that needs it should begin; only from Known.Row

	NextStep   string // of a rotation: "ds-submit", "ds-retract" or another
	DS         *schema.DS
	PreviousDS *schema.DS
	Unreadable bool // part of its last event
	StartedAt  time.Time
	OverdueAt  time.Time // when it becomes overdue
}
