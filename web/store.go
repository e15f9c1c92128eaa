package web

import (
	"context"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// Store is the read models. Every interface it is made of is named after the page that needs it; all their methods may be called at once
// from many goroutines. A method called with the key of a row that no event concerns, or had concerned at the moment asked for, returns
// projections.ErrNotFound; for a moment that cannot be folded ErrNoLog or ErrNoPast; a list asked for in a way it cannot be made returns
// projections.ErrQuery; all may be wrapped.
type Store interface {
	OrderStore
	CertificateStore
	DomainStore
	DNSSECStore
	OrganizationStore
	WebsiteStore
	UserStore
	TargetStore
	ScanStore
	FindingStore
	QuarantineStore
	ExpiryStore
	Overview
	LiveStore
}

// ExpiryStore is what the pictures of expiries need.
type ExpiryStore interface {
	// Expiring counts the certificates that end in each span, by provider, and for each limit, in days, how many are valid now for longer than that.
	Expiring(ctx context.Context, spans []projections.Span, limits []int, now time.Time) (projections.CertificateExpiry, error)
	// Uncollected counts the issued orders of which nobody knows when their certificates end, by provider.
	Uncollected(context.Context) ([]projections.Uncollected, error)
	// Lapsing counts the domains' validations that end in each span.
	Lapsing(ctx context.Context, spans []projections.Span) ([]int, error)
}

// OrderStore is what the orders' pages need.
type OrderStore interface {
	Orders(context.Context, projections.Query) (items []projections.Order, next string, err error)
	OrderAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Order, error)
	// Fates are those of the certificates that have one at now.
	Fates(ctx context.Context, of []projections.CertificateRef, now time.Time) (map[projections.CertificateRef]projections.Fate, error)
}

// CertificateStore is what the certificates' pages need.
type CertificateStore interface {
	Certificates(context.Context, projections.Query) (items []projections.Certificate, next string, err error)
	CertificateAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Certificate, error)
	// Announced are those that the CA has announced to revoke, and has not yet; some may have expired meanwhile.
	Announced(context.Context, projections.Query) (items []projections.Certificate, next string, err error)
}

// DomainStore is what the domains' pages need. DomainAt finds what any provider says of the name.
type DomainStore interface {
	Domains(context.Context, projections.Query) (items []projections.Domain, next string, err error)
	// DomainsNamed are all validations of the names, by name and provider.
	DomainsNamed(ctx context.Context, names []string, now time.Time) ([]projections.Domain, error)
	DomainAt(ctx context.Context, name string, m projections.Moment) (*projections.DomainDetail, error)
}

// DNSSECStore is what the rotations' pages need.
type DNSSECStore interface {
	DNSSECs(context.Context, projections.Query) (items []projections.DNSSEC, next string, err error)
	DNSSECAt(ctx context.Context, provider, websiteID string, m projections.Moment) (*projections.DNSSEC, error)
}

// OrganizationStore is what the organizations' pages need.
type OrganizationStore interface {
	Organizations(context.Context, projections.Query) (items []projections.Organization, next string, err error)
	OrganizationAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Organization, error)
}

// WebsiteStore is what the websites' pages need.
type WebsiteStore interface {
	Websites(context.Context, projections.Query) (items []projections.Website, next string, err error)
	WebsiteAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Website, error)
}

// UserStore is what the users' pages need.
type UserStore interface {
	Users(context.Context, projections.Query) (items []projections.User, next string, err error)
	UserAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.User, error)
}

// TargetStore is what the targets' pages need.
type TargetStore interface {
	Targets(context.Context, projections.Query) (items []projections.Target, next string, err error)
	TargetAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Target, error)
}

// ScanStore is what the scans' pages need.
type ScanStore interface {
	Scans(context.Context, projections.Query) (items []projections.Scan, next string, err error)
	ScanAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Scan, error)
}

// FindingStore is what the findings' pages need.
type FindingStore interface {
	Findings(context.Context, projections.Query) (items []projections.Finding, next string, err error)
	FindingAt(ctx context.Context, provider, id string, m projections.Moment) (*projections.Finding, error)
}

// QuarantineStore is what the quarantine's page needs.
type QuarantineStore interface {
	Quarantine(context.Context, projections.Query) (items []projections.Quarantined, next string, err error)
}

// Overview is what every page's frame, the attention list and /system need.
type Overview interface {
	// Count counts what the query finds in the model, and stops at projections.CountLimit+1.
	Count(ctx context.Context, model string, q projections.Query) (int, error)
	// Attention is what a person should act on now, most urgent first.
	Attention(ctx context.Context, now time.Time) (*projections.Attention, error)
	// MattersOf are the matters of one order as it stands now, those left out that are acknowledged.
	MattersOf(ctx context.Context, o *projections.Order, now time.Time) ([]projections.Matter, error)
	// MatterOf is one occurrence of a matter, also one that is acknowledged; projections.ErrNotFound where there is no such matter, or none any more.
	MatterOf(ctx context.Context, provider, row string, of schema.Matter, now time.Time) (*projections.Matter, error)
	// Accounts are the accounts, with what their providers last said of them: that a webhook was tested or challenged, a user made.
	Accounts(context.Context, projections.Query) (items []projections.Website, next string, err error)
	// Named tells whether anything bears the name that has a page of its own, and whether anything bears a name below it.
	Named(ctx context.Context, name string) (known, below bool, err error)
	// Traffic is how the deliveries of every provider came.
	Traffic(ctx context.Context, now time.Time) ([]projections.Traffic, error)
	// Status answers also while the read models are being rebuilt.
	Status(context.Context) ([]projections.Status, projections.Missing, error)
}

// LiveStore is what the open pages need.
type LiveStore interface {
	// Live yields what changed after seq, or only what changes from now on where after is 0, each change once the read models show it.
	// It returns when ctx ends or yield fails, with that error.
	Live(ctx context.Context, after uint64, yield func(projections.Change) error) error
}

// Log is the log of events. Its methods may be called at once from many goroutines.
type Log interface {
	// Events are at most limit events after seq whose NATS subject matches (empty: all), ascending. They end early before the event with which they would
	// hold more than so many bytes, and then there is more; the first is among them however large it is.
	Events(ctx context.Context, after uint64, subject string, limit, bytes int) (records []schema.Record, more bool, err error)
	// Get is one event. An error that is fs.ErrNotExist says that the log does not hold it.
	Get(ctx context.Context, seq uint64) (schema.Record, error)
	// Last is the sequence of the newest event, 0 while there is none.
	Last(context.Context) (uint64, error)
}

// Provider is one source of deliveries as the pages show it.
type Provider struct {
	Name        string   // "digicert"
	Title       string   // "DigiCert CertCentral"
	On          bool     // its credential is set
	Endpoints   []string // URLs to enter at the provider; a token stands as {token}
	Howto       string   // where to enter them, a sentence
	HowtoEnable []string // the settings to set to turn it on
	SendExample string   // the command that sends a sample of it
	Fills       []string // the read models that its deliveries fill: "orders"; empty: not known, so any of them

	Remarks []string // what is wrong with its settings though it is on, sentences

	Asked  *Asked  // nil: it has no API
	Tokens []Token // of challenges
	Tested *Tested // the last test since the server started; nil: there was none

	LastAt schema.Time // of the last delivery taken; zero: none yet
	// Deliveries since the server started.
	Accepted, Quarantined, Refused, Lost uint64
	RefusedFor                           map[string]uint64 // Refused by the reason, in a few words
}
