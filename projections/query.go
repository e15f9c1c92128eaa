package projections

import (
	"errors"
	"time"
)

// ErrNotFound says that no event concerns the row that was asked for.
var ErrNotFound = errors.New("no event about it has arrived yet")

// ErrRebuilding says that the read models cannot be read until they have been built from the log.
var ErrRebuilding = errors.New("the read models are being rebuilt from the log")

// ErrQuery marks what is wrong with a Query: an unknown sort field, state or cursor. Its text is for the person who
// asked.
var ErrQuery = errors.New("the list cannot be made")

// The limits of a list.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	CountLimit   = 10_000 // counts are exact up to here
	SortLimit    = 10_000 // rows that are sorted by a field that no index has in order
)

// Query asks for one page of a list. The zero Query, with Now, is the first page of everything, most recent first.
type Query struct {
	Limit    int    // 0: DefaultLimit
	Bytes    int    // the page ends early, with its cursor, at the row with which it weighs that much; 0: PageBytes
	Cursor   string // what the page before returned; "": the first page
	Q        string // what SoughtBy reads: an exact order, certificate or serial number, or a domain name and all below it
	Provider string
	State    string
	Sort     string // FIELD or -FIELD; "": -last_event_at. More than SortLimit rows only by what SortsAny says

	// Only what ends in this time: certificates by their not_after, validations by their expires_at. Zero: no bound;
	// ExpiresUntil is not part of it.
	ExpiresFrom, ExpiresUntil time.Time

	Now time.Time

	row *rowKey // only that row; nil: all
}

// Status tells how far a projection is.
type Status struct {
	Name  string `json:"name"`
	Seq   uint64 `json:"seq"`   // the last event it holds
	Lag   uint64 `json:"lag"`   // in events
	State string `json:"state"` // live, catching_up, rebuilding, failed
	Error string `json:"error,omitempty"`

	Torn      string `json:"torn,omitempty"`      // how the log was found not to be the one that was read before, since the process began
	Mended    string `json:"mended,omitempty"`    // what was wrong with the read models that were replaced last since the process began, a clause
	Redecoded bool   `json:"redecoded,omitempty"` // events are derived again from their original deliveries

	Verified *Verified `json:"verified,omitempty"` // the last verification that a running store made by itself; nil: none yet

	// Rebuild is how far a new generation is that is built from the log; nil when none is. In state live the old one is
	// read meanwhile.
	Rebuild *Progress `json:"rebuild,omitempty"`
}
