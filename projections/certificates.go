package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

var certificates = &table[lifecycle.Certificate, Certificate]{
	name: lifecycle.Certificates, key: "id",
	fields: []string{"order_id", "phase", "serial_number", "common_name", "dns_names", "issuer", "not_before", "not_after", "key_algorithm",
		"fingerprint_sha256", "pem", "announced", "revokes_at", "reason", "announced_at", "revoked_at"},
	derived: []string{"expiring_from", "name_set", "issued_at", "validity_days"},
	bind: func(c *lifecycle.Certificate) []any {
		x := &c.Cert
		return []any{&c.OrderID, &c.Phase, &x.SerialNumber, &x.CommonName, list(&x.DNSNames), &x.Issuer, optionalTime{&x.NotBefore}, optionalTime{&x.NotAfter},
			&x.KeyAlgorithm, &x.FingerprintSHA256, &x.PEM, &c.Announced, optionalTime{&c.RevokesAt}, &c.Reason,
			optionalTime{&c.AnnouncedAt}, optionalTime{&c.RevokedAt}}
	},
	life: func(c *lifecycle.Certificate) *lifecycle.Life { return &c.Life },
	derive: func(c *lifecycle.Certificate) []any {
		return []any{timeText(renewalOf(c)), c.NameSet(), c.IssuedAt().String(), c.ValidityDays()}
	},
	fold: lifecycle.Certificate.Fold,
	names: func(_ string, c *lifecycle.Certificate) []string {
		return append([]string{c.Cert.CommonName}, c.Cert.DNSNames...)
	},
	named:   []namedIn{aloneIn("common_name"), listedIn("dns_names")},
	sorts:   []string{"last_event_at", "not_after", "not_before", "common_name", "issuer", "id", "provider"},
	inOrder: []string{"not_after", "common_name"},
	ends:    "not_after",
	byState: true,
	exact:   []string{"id", "order_id", "serial_number", "fingerprint_sha256"},
	states: map[string]func(string) (string, []any){
		// Nearly all are issued, so that the index of phases leaves them out; SQLite goes by it where the query says the same.
		lifecycle.Revoked:  func(string) (string, []any) { return "phase = 'revoked' AND phase <> 'issued'", nil },
		lifecycle.Replaced: func(string) (string, []any) { return "phase = 'replaced' AND phase <> 'issued'", nil },
		lifecycle.Issued:   func(string) (string, []any) { return "phase = 'issued' AND ^not_after = ''", nil },
		lifecycle.Expired: func(now string) (string, []any) {
			return "phase = 'issued' AND ^not_after > '' AND ^not_after < ?", []any{now}
		},
		lifecycle.Expiring: func(now string) (string, []any) {
			// The last bound follows from the first, and an index finds by it.
			return "phase = 'issued' AND expiring_from <= ? AND ^not_after >= ? AND ^not_after <= ?", []any{now, now, timeAfter(now, rules.RenewalMost)}
		},
		lifecycle.Valid: func(now string) (string, []any) {
			return "phase = 'issued' AND ^not_after >= ?", []any{now}
		},
		lifecycle.Active: func(now string) (string, []any) {
			// The first bound follows from the second, and an index finds by it.
			return "phase = 'issued' AND ^not_after > ? AND expiring_from > ?", []any{now, now}
		},
	},
	item: func(provider, id string, c *lifecycle.Certificate, now time.Time) Certificate {
		item := Certificate{
			Provider: provider, ID: id, OrderID: c.OrderID, State: rules.CertificateState(*c, now), SerialNumber: c.Cert.SerialNumber, CommonName: c.Cert.CommonName,
			DNSNames: c.Cert.DNSNames, Issuer: c.Cert.Issuer, NotBefore: c.Cert.NotBefore, NotAfter: c.Cert.NotAfter, KeyAlgorithm: c.Cert.KeyAlgorithm,
			FingerprintSHA256: c.Cert.FingerprintSHA256, RevokesAt: c.RevokesAt, RevocationNotice: c.Announced, Reason: c.Reason, Unreadable: c.Unreadable,
			AnnouncedAt: c.AnnouncedAt, RevokedAt: c.RevokedAt,
			FirstEventAt: c.FirstEventAt, LastEventAt: c.LastEventAt, LastEventSeq: c.LastEventSeq, EventCount: c.EventCount,
		}
		if c.Cert.NotAfter != nil {
			days := lifecycle.DaysLeft(*c.Cert.NotAfter, now)
			item.DaysLeft, item.RenewFrom = &days, renewalOf(c)
		}
		return item
	},
}

func renewalOf(c *lifecycle.Certificate) *schema.Time {
	return rules.Renewal(c.Cert.NotBefore, c.Cert.NotAfter)
}

// certificateChanges returns what an event received at a time changed.
func certificateChanges(before, after lifecycle.Certificate, at time.Time) []Changed {
	return before.Changes(after, func(c lifecycle.Certificate) string { return rules.CertificateState(c, at) })
}

// timeAfter is the time d after now, both as columns hold them.
func timeAfter(now string, d time.Duration) string {
	t, err := schema.ParseTime(now)
	if err != nil {
		return now // it was written by schema.Time
	}
	return schema.At(t.Add(d)).String()
}
