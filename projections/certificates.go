package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// Certificate shows one certificate of one provider.
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
	Row
}

// Fate names the end that is near for a certificate in use.
type Fate int

// The fates; the zero Fate is none.
const (
	ToBeRevoked Fate = 1 + iota // the CA has announced it
	ToBeRenewed                 // it expires, or has expired, and there is no newer one for its names
)

// Fate returns the fate of the certificate by its state and its successor.
func (c *Certificate) Fate() Fate {
	switch {
	case c.ToBeRevoked():
		return ToBeRevoked
	case rules.ToBeRenewed(c.State, c.Successor != nil):
		return ToBeRenewed
	}
	return 0
}

// ToBeRevoked reports whether the CA has announced a revocation that has not come yet, of a certificate that is in use.
func (c *Certificate) ToBeRevoked() bool { return rules.ToBeRevoked(c.State, c.RevocationNotice) }

// CertificateRef names a certificate.
type CertificateRef struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
}

// Certificates keeps the certificates.
var Certificates = define(Table[lifecycle.Certificate, Certificate]{
	Spec: Spec{
		Name: lifecycle.Certificates, Title: "Certificates", Noun: "certificate", Key: "id",
		Sorts:   []string{"last_event_at", "not_after", "not_before", "common_name", "issuer", "id", "provider"},
		InOrder: []string{"not_after", "common_name"},
		States:  certificateStates,
		ByState: true,
		Ends:    "not_after",
		Exact:   []string{"id", "order_id", "serial_number", "fingerprint_sha256"},
		named:   []namedIn{aloneIn("common_name"), listedIn("dns_names")},
		CSV: []string{"provider", "id", "order_id", "state", "serial_number", "common_name", "dns_names", "issuer", "not_before", "not_after", "days_left",
			"renew_from", "key_algorithm", "fingerprint_sha256", "revocation_announced", "revokes_at", "reason", "last_event_at"},
	},
	columns: func(c *lifecycle.Certificate) []Column {
		x := &c.Cert
		return []Column{
			{"order_id", &c.OrderID},
			{"phase", &c.Phase}, // issued, replaced, revoked: what the clock adds is worked out when it is read
			{"serial_number", &x.SerialNumber},
			{"common_name", &x.CommonName},
			{"dns_names", list(&x.DNSNames)},
			{"issuer", &x.Issuer},
			{"not_before", optionalTime{&x.NotBefore}},
			{"not_after", optionalTime{&x.NotAfter}},
			{"key_algorithm", &x.KeyAlgorithm},
			{"fingerprint_sha256", &x.FingerprintSHA256},
			{"announced", &c.Announced},
			{"revokes_at", optionalTime{&c.RevokesAt}},
			{"reason", &c.Reason},
			{"announced_at", optionalTime{&c.AnnouncedAt}},
			{"revoked_at", optionalTime{&c.RevokedAt}},
		}
	},
	derived: func(c *lifecycle.Certificate) []Column {
		return []Column{
			{"expiring_from", timeText(renewalOf(c))},
			{"name_set", c.NameSet()}, // names the set of its names, so that certificates for the same names are found
			{"issued_at", c.IssuedAt().String()},
			{"validity_days", c.ValidityDays()},
		}
	},
	apart: &apart[lifecycle.Certificate]{
		columns: func(c *lifecycle.Certificate) []Column { return []Column{{"pem", &c.Cert.PEM}} },
		brought: func(before, after *lifecycle.Certificate) bool {
			return after.Cert.PEM != "" || after.Cert.FingerprintSHA256 != before.Cert.FingerprintSHA256
		},
		drop: func(c *lifecycle.Certificate) { c.Cert.PEM = "" },
	},
	life:    func(c *lifecycle.Certificate) *lifecycle.Life { return &c.Life },
	fold:    lifecycle.Certificate.Fold,
	changes: certificateChanges,
	names: func(_ string, c *lifecycle.Certificate) []string {
		return append([]string{c.Cert.CommonName}, c.Cert.DNSNames...)
	},
	item: func(k Key, c *lifecycle.Certificate, now time.Time) Certificate {
		item := Certificate{
			Provider: k.Provider, ID: k.ID, OrderID: c.OrderID, State: rules.CertificateState(*c, now), SerialNumber: c.Cert.SerialNumber, CommonName: c.Cert.CommonName,
			DNSNames: c.Cert.DNSNames, Issuer: c.Cert.Issuer, NotBefore: c.Cert.NotBefore, NotAfter: c.Cert.NotAfter, KeyAlgorithm: c.Cert.KeyAlgorithm,
			FingerprintSHA256: c.Cert.FingerprintSHA256, RevokesAt: c.RevokesAt, RevocationNotice: c.Announced, Reason: c.Reason,
			AnnouncedAt: c.AnnouncedAt, RevokedAt: c.RevokedAt, Row: rowOf(&c.Life),
		}
		if c.Cert.NotAfter != nil {
			days := lifecycle.DaysLeft(*c.Cert.NotAfter, now)
			item.DaysLeft, item.RenewFrom = &days, renewalOf(c)
		}
		return item
	},
})

var certificateStates = []State{
	{lifecycle.Valid, func(now string) (string, []any) { return "phase = 'issued' AND ^not_after >= ?", []any{now} }},
	{lifecycle.Active, func(now string) (string, []any) {
		// The first bound follows from the second, and an index finds by it.
		return "phase = 'issued' AND ^not_after > ? AND expiring_from > ?", []any{now, now}
	}},
	{lifecycle.Expiring, func(now string) (string, []any) {
		// The last bound follows from the first, and an index finds by it.
		return "phase = 'issued' AND expiring_from <= ? AND ^not_after >= ? AND ^not_after <= ?",
			[]any{now, now, timeAfter(now, rules.RenewalMost)}
	}},
	{lifecycle.Expired, func(now string) (string, []any) {
		return "phase = 'issued' AND ^not_after > '' AND ^not_after < ?", []any{now}
	}},
	// Nearly all are issued, so that the index of phases leaves them out; SQLite goes by it where the query says the
	// same.
	{lifecycle.Revoked, func(string) (string, []any) { return "phase = 'revoked' AND phase <> 'issued'", nil }},
	{lifecycle.Replaced, func(string) (string, []any) { return "phase = 'replaced' AND phase <> 'issued'", nil }},
	{lifecycle.Issued, func(string) (string, []any) { return "phase = 'issued' AND ^not_after = ''", nil }},
}

func renewalOf(c *lifecycle.Certificate) *schema.Time {
	return rules.Renewal(c.Cert.NotBefore, c.Cert.NotAfter)
}

// certificateChanges returns what an event received at a time changed.
func certificateChanges(before, after lifecycle.Certificate, at time.Time) []Changed {
	return before.Changes(after, func(c lifecycle.Certificate) string { return rules.CertificateState(c, at) })
}

// timeAfter returns the time d after now, both as columns hold them.
func timeAfter(now string, d time.Duration) string {
	t, err := schema.ParseTime(now)
	if err != nil {
		return now // it was written by schema.Time
	}
	return schema.At(t.Add(d)).String()
}
