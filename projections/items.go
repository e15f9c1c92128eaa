package projections

import (
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// The items below are rows of the read models as people and programs see them: the JSON of the API, and what the pages are made of.
// An absent key is not known. Times are RFC 3339 UTC.

// Order is one order at one provider.
type Order struct {
	Provider      string                       `json:"provider"`
	ID            string                       `json:"id"`
	State         string                       `json:"state"` // pending, action_required, issued, reissue_ready, rejected, canceled, revoked
	CommonName    string                       `json:"common_name,omitempty"`
	DNSNames      []string                     `json:"dns_names,omitempty"`
	CertificateID string                       `json:"certificate_id,omitempty"` // the last issued
	StateSince    schema.Time                  `json:"state_since"`              // of the event that brought the present state
	Checks        map[string]schema.CheckState `json:"checks"`
	ChecksSince   map[string]schema.Time       `json:"checks_since,omitempty"` // check name to the time of the event that brought its present state
	Reasons       map[string]string            `json:"reasons,omitempty"`      // check name to the provider's words on why it failed or waits
	NextStep      string                       `json:"next_step,omitempty"`    // one of lifecycle's Step codes
	Waiting       []lifecycle.Waiting          `json:"-"`                      // what of it waits for a person
	Fate          Fate                         `json:"-"`                      // of its last certificate; only where that was asked for
	MessageAt     *schema.Time                 `json:"message_at,omitempty"`   // of the CA's message that nothing has answered
	Unreadable    string                       `json:"unreadable,omitempty"`
	FirstEventAt  schema.Time                  `json:"first_event_at"`
	LastEventAt   schema.Time                  `json:"last_event_at"`
	LastEventSeq  uint64                       `json:"last_event_seq"`
	EventCount    int                          `json:"event_count"`
	Timeline      []TimelineEntry              `json:"timeline,omitempty"`     // only of one order, ascending
	Validations   []Domain                     `json:"validations,omitempty"`  // only of one order: what its provider says of its names and those above them, by name
	Certificates  []Certificate                `json:"certificates,omitempty"` // only of one order: those issued for it, newest first
	Then
}

// TimelineEntry is one event in the life of a row.
type TimelineEntry struct {
	Seq     uint64          `json:"seq"`
	Time    schema.Time     `json:"time"`
	Type    string          `json:"type"`              // the CloudEvents type
	Facts   lifecycle.Facts `json:"-"`                 // what its sentence is made of
	Summary string          `json:"summary"`           // the sentence, which package words makes for those who show it; empty until then
	Changes []Changed       `json:"changes,omitempty"` // what it changed of the row; told of the newest ChangesLimit events of one row
}

// Changed is one thing that an event changed.
type Changed = lifecycle.Changed

// Then is part of an item that was asked for as of a moment, and empty in all others.
type Then struct {
	AsOfSeq uint64          `json:"as_of_seq,omitempty"` // the row's last event that is folded
	AsOf    *schema.Time    `json:"as_of,omitempty"`     // the clock
	Later   []TimelineEntry `json:"-"`                   // the row's events after AsOfSeq, ascending
}

// Certificate is one certificate of one provider.
type Certificate struct {
	Provider          string          `json:"provider"`
	ID                string          `json:"id"`
	OrderID           string          `json:"order_id,omitempty"`
	State             string          `json:"state"` // issued, active, expiring, expired, revoked, replaced
	SerialNumber      string          `json:"serial_number,omitempty"`
	CommonName        string          `json:"common_name,omitempty"`
	DNSNames          []string        `json:"dns_names,omitempty"`
	Issuer            string          `json:"issuer,omitempty"`
	NotBefore         *schema.Time    `json:"not_before,omitempty"`
	NotAfter          *schema.Time    `json:"not_after,omitempty"`
	DaysLeft          *int            `json:"days_left,omitempty"`  // whole days until not_after, negative once past
	RenewFrom         *schema.Time    `json:"renew_from,omitempty"` // when its renewal should begin: from then on it is expiring
	KeyAlgorithm      string          `json:"key_algorithm,omitempty"`
	FingerprintSHA256 string          `json:"fingerprint_sha256,omitempty"`
	RevokesAt         *schema.Time    `json:"revokes_at,omitempty"` // of an announced revocation
	RevocationNotice  bool            `json:"revocation_announced,omitempty"`
	Reason            string          `json:"reason,omitempty"`    // of the revocation
	AnnouncedAt       *schema.Time    `json:"-"`                   // when the announcement was heard of
	RevokedAt         *schema.Time    `json:"-"`                   // when the revocation was heard of
	Successor         *CertificateRef `json:"successor,omitempty"` // the newest certificate for the same names, if that is a newer one
	Unreadable        string          `json:"unreadable,omitempty"`
	FirstEventAt      schema.Time     `json:"first_event_at"`
	LastEventAt       schema.Time     `json:"last_event_at"`
	LastEventSeq      uint64          `json:"last_event_seq"`
	EventCount        int             `json:"event_count"`
	Timeline          []TimelineEntry `json:"timeline,omitempty"`
	Then
}

// Fate is what is about to become of a certificate that is in use.
type Fate int

// The fates; the zero Fate is none.
const (
	ToBeRevoked Fate = 1 + iota // the CA has announced it
	ToBeRenewed                 // it expires, or has expired, and there is no newer one for its names
)

// Fate is what is about to become of the certificate, as of its state and its successor.
func (c *Certificate) Fate() Fate {
	switch {
	case c.ToBeRevoked():
		return ToBeRevoked
	case rules.ToBeRenewed(c.State, c.Successor != nil):
		return ToBeRenewed
	}
	return 0
}

// ToBeRevoked tells whether the CA has announced a revocation that has not come yet, of a certificate that is in use.
func (c *Certificate) ToBeRevoked() bool { return rules.ToBeRevoked(c.State, c.RevocationNotice) }

// CertificateRef names a certificate.
type CertificateRef struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
}

// Domain is the validation of one domain name at one provider.
type Domain struct {
	Provider     string          `json:"provider"`
	Name         string          `json:"name"`
	State        string          `json:"state"` // validated, revalidation_due, expired, failed
	ValidatedAt  *schema.Time    `json:"validated_at,omitempty"`
	ExpiresAt    *schema.Time    `json:"expires_at,omitempty"`
	Reason       string          `json:"reason,omitempty"`
	NextRenewal  *schema.Time    `json:"next_renewal,omitempty"` // only of one name: when the next renewal of what it covers should begin
	LapsesFirst  bool            `json:"lapses_first,omitempty"` // only of one name: it lapses before that renewal
	Since        *schema.Time    `json:"-"`                      // when it was first heard to stand so
	Unreadable   string          `json:"unreadable,omitempty"`
	FirstEventAt schema.Time     `json:"first_event_at"`
	LastEventAt  schema.Time     `json:"last_event_at"`
	LastEventSeq uint64          `json:"last_event_seq"`
	EventCount   int             `json:"event_count"`
	Timeline     []TimelineEntry `json:"timeline,omitempty"`
	Then
}

// DomainDetail is all that is known of one domain name, over all providers.
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

// DNSSEC is the key rotation of one website's zone.
type DNSSEC struct {
	Provider     string          `json:"provider"`
	WebsiteID    string          `json:"website_id"`
	Domain       string          `json:"domain,omitempty"`
	State        string          `json:"state"`     // rotation_started, rotation_overdue, rotation_completed
	NextStep     string          `json:"next_step"` // ds-submit, ds-retract or empty
	DS           *schema.DS      `json:"ds,omitempty"`
	PreviousDS   *schema.DS      `json:"previous_ds,omitempty"`
	StartedAt    *schema.Time    `json:"started_at,omitempty"`
	CompletedAt  *schema.Time    `json:"completed_at,omitempty"`
	Unreadable   string          `json:"unreadable,omitempty"`
	FirstEventAt schema.Time     `json:"first_event_at"`
	LastEventAt  schema.Time     `json:"last_event_at"`
	LastEventSeq uint64          `json:"last_event_seq"`
	EventCount   int             `json:"event_count"`
	Timeline     []TimelineEntry `json:"timeline,omitempty"`
	Then
}

// Organization is the validation of one organization at one provider.
type Organization struct {
	Provider       string          `json:"provider"`
	ID             string          `json:"id"`
	Name           string          `json:"name,omitempty"`
	State          string          `json:"state"` // validated, revalidation_due, expired
	ValidationType string          `json:"validation_type,omitempty"`
	ValidatedAt    *schema.Time    `json:"validated_at,omitempty"`
	ExpiresAt      *schema.Time    `json:"expires_at,omitempty"`
	Since          *schema.Time    `json:"-"` // when it was first heard to stand so
	Unreadable     string          `json:"unreadable,omitempty"`
	FirstEventAt   schema.Time     `json:"first_event_at"`
	LastEventAt    schema.Time     `json:"last_event_at"`
	LastEventSeq   uint64          `json:"last_event_seq"`
	EventCount     int             `json:"event_count"`
	Timeline       []TimelineEntry `json:"timeline,omitempty"`
	Then
}

// Website is a website or a database that a provider watches, or an account there, with the last thing the provider said of it.
type Website struct {
	Provider     string          `json:"provider"`
	Kind         string          `json:"kind"` // website, database or account
	ID           string          `json:"id"`
	State        string          `json:"state"` // the last event without its prefix: malware_issue_found
	FirstEventAt schema.Time     `json:"first_event_at"`
	LastEventAt  schema.Time     `json:"last_event_at"`
	LastEventSeq uint64          `json:"last_event_seq"`
	EventCount   int             `json:"event_count"`
	Timeline     []TimelineEntry `json:"timeline,omitempty"`
	Then
}

// Quarantined is an event that changed no row, and why: a delivery that could not be read or that nobody documents, or an event that a fold could not take.
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

// Change is what one event (or a batch of them) changed: the keys of the rows, and the last event's sequence.
type Change struct {
	Seq  uint64
	Rows []Key
}

// The events of a row that was asked for by itself, ascending.

func (o *Order) Events() []TimelineEntry        { return o.Timeline }
func (c *Certificate) Events() []TimelineEntry  { return c.Timeline }
func (d *Domain) Events() []TimelineEntry       { return d.Timeline }
func (d *DNSSEC) Events() []TimelineEntry       { return d.Timeline }
func (o *Organization) Events() []TimelineEntry { return o.Timeline }
func (w *Website) Events() []TimelineEntry      { return w.Timeline }
func (u *User) Events() []TimelineEntry         { return u.Timeline }
func (t *Target) Events() []TimelineEntry       { return t.Timeline }
func (s *Scan) Events() []TimelineEntry         { return s.Timeline }
func (f *Finding) Events() []TimelineEntry      { return f.Timeline }
