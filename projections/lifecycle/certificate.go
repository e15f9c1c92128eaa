package lifecycle

import (
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Where a certificate stands, beside Issued, Revoked and Expired.
const (
	Active   = "active"
	Expiring = "expiring"
	Expired  = "expired"
	Replaced = "replaced"
	Valid    = "valid" // active or expiring: only to choose by
)

// Certificate holds the life of one certificate.
type Certificate struct {
	Life
	OrderID   string
	Phase     string // Issued, Replaced or Revoked; a later one is never taken back
	Cert      schema.Certificate
	Announced bool         // the CA said it will revoke it
	RevokesAt *schema.Time // when, if it said so
	Reason    string       // of the revocation

	AnnouncedAt *schema.Time // when that was heard of: first, or first of that RevokesAt
	RevokedAt   *schema.Time // when it was heard of first
}

// Fold returns c after the event at seq.
func (c Certificate) Fold(seq uint64, e *schema.Event) Certificate {
	if ignored(e) {
		return c
	}
	if decides(e) {
		c.Life = c.Life.decided(seq, e)
		return c
	}
	if c.Phase == "" {
		c.Phase = Issued
	}
	c.Life = c.Life.next(seq, e)
	d := &e.Data
	switch e.Kind() {
	case schema.CertificateRevoked:
		if c.Phase != Revoked {
			at := e.Time
			c.Phase, c.RevokedAt = Revoked, &at
		}
		c.reason(d)
	case schema.CertificateReplaced:
		if c.Phase != Revoked {
			c.Phase = Replaced
		}
	case schema.CertificateRevocationAnnounced:
		if other := d.RevokesAt != nil && (c.RevokesAt == nil || !c.RevokesAt.Equal(d.RevokesAt.Time)); !c.Announced || other {
			at := e.Time
			c.Announced, c.AnnouncedAt = true, &at
		}
		c.reason(d)
		if d.RevokesAt != nil {
			c.RevokesAt = d.RevokesAt
		}
	}
	if d.OrderID != "" {
		c.OrderID = d.OrderID
	}
	if d.Certificate != nil && (d.Certificate.FingerprintSHA256 != "" || c.Cert.FingerprintSHA256 == "") { // names alone do not replace what was read
		c.Cert = *d.Certificate
	}
	c.Life = c.Life.read("certificate", d.Certificate != nil, d)
	return c
}

func (c *Certificate) reason(d *schema.Data) {
	if d.Reason != "" {
		c.Reason = d.Reason
	}
}

// ValidityDays counts the days of 86,400 s of the certificate's validity, its first and its last second included, a
// begun day as a whole one: limits on validity count the same (Baseline Requirements 6.3.2). It returns 0 where that is
// not known.
func (c Certificate) ValidityDays() int {
	if c.Cert.NotBefore == nil || c.Cert.NotAfter == nil || c.Cert.NotAfter.Before(c.Cert.NotBefore.Time) {
		return 0
	}
	return wholeDays(c.Cert.NotBefore.Time, c.Cert.NotAfter.Add(time.Second-1)) + 1
}

// DaysLeft returns the whole days from now until notAfter, negative once it has passed.
func DaysLeft(notAfter schema.Time, now time.Time) int { return wholeDays(now, notAfter.Time) }

// wholeDays counts the days of 86,400 s between two times, rounded down. It goes by seconds, because a time.Duration
// ends at 292 years, and a certificate whose end is not known ends in the year 9999 (RFC 5280 4.1.2.5).
func wholeDays(from, until time.Time) int {
	const day = 24 * 60 * 60
	seconds := until.Unix() - from.Unix()
	if until.Nanosecond() < from.Nanosecond() {
		seconds--
	}
	days := seconds / day
	if seconds%day < 0 {
		days--
	}
	return int(days)
}
