package projections

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// lapsedFor is how long a certificate that expired without a successor is a matter.
const lapsedFor = 30 * 24 * time.Hour

// unsucceeded is the condition that no certificate takes the place of this one.
var unsucceeded = "NOT EXISTS (SELECT 1 FROM certificates n WHERE " + strings.ReplaceAll(newer, "c.", "certificates.") + ")"

// The certificates as lists of those whose revocation is announced, of those that are revoked, and of those that expire, each as long as it matters.
// A plus keeps SQLite from going through all of a phase.
var (
	announcedCertificates = limited(certificates, "announced AND +phase = 'issued'")
	revokedCertificates   = restated(limited(certificates, unsucceeded), func(now string) (string, []any) {
		return "phase = 'revoked' AND phase <> 'issued' AND (not_after = '' OR not_after > ?)", []any{now}
	})
	lapsingCertificates = restated(limited(certificates, unsucceeded), func(now string) (string, []any) {
		return "+phase = 'issued' AND expiring_from <= ? AND not_after > ? AND not_after <= ?", []any{now, timeAfter(now, -lapsedFor), timeAfter(now, lifecycle.ExpiringMost)}
	})
)

// matter is the one state of a restated table, to be asked for with Query.State.
const matter = "matter"

// restated gives t, a copy of a table, that one state in place of its own: a condition that depends on the time, as that of limited cannot.
func restated[S, T any](t *table[S, T], condition func(now string) (string, []any)) *table[S, T] {
	t.states = map[string]func(string) (string, []any){matter: condition}
	return t
}

func (s *Store) announced(now time.Time) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		found, next, err := page(ctx, s, announcedCertificates, Query{Cursor: cursor, Limit: mattersEach, Now: now})
		if err == nil {
			err = s.succeeded(ctx, found)
		}
		return mattersOf(found, func(c *Certificate) []Matter { return announcedMatters(c, now) }), next, err
	}
}

func announcedMatters(c *Certificate, now time.Time) []Matter {
	if c.NotAfter != nil && now.After(c.NotAfter.Time) {
		return nil // it came to its end by itself
	}
	m := Matter{Severity: Critical, Kind: schema.MatterRevocationAnnounced, Title: "Revocation announced: " + subjectOf(c.CommonName, c.Provider, c.ID),
		Detail: "The CA announced that it will revoke the certificate.", Due: c.RevokesAt, Since: firstOf(c.AnnouncedAt, &c.FirstEventAt)}
	if c.RevokesAt != nil {
		m.Detail = revocation(*c.RevokesAt, now)
	}
	if c.Reason != "" {
		m.Detail += words(c.Reason)
	}
	m.Means, m.Do = "From then on browsers and programs refuse it wherever it is in use.", "Order another, and install it wherever this one is in use before the CA revokes it."
	if c.Successor != nil {
		m.Severity, m.Do = Warning, "Its successor "+c.Successor.Provider+" "+c.Successor.ID+" is there: see that it is installed wherever this one is in use."
	}
	return []Matter{certificateMatter(m, c, m.Since)}
}

// revocation is when the CA revokes, with what is left until then.
func revocation(at schema.Time, now time.Time) string {
	moment := at.UTC().Format("2006-01-02 15:04 UTC")
	switch left := at.Sub(now); {
	case left <= 0:
		return "The CA was to revoke the certificate at " + moment + "."
	case left < time.Hour:
		return fmt.Sprintf("The CA will revoke the certificate at %s, in %d minutes.", moment, int(left.Minutes()))
	default:
		return fmt.Sprintf("The CA will revoke the certificate at %s, in %d hours.", moment, int(left.Hours()))
	}
}

func (s *Store) revoked(now time.Time) finder {
	return finding(s, revokedCertificates, Query{State: matter, Now: now}, func(c *Certificate) []Matter {
		m := Matter{Severity: Critical, Kind: schema.MatterRevoked, Title: "Revoked: " + subjectOf(c.CommonName, c.Provider, c.ID), Detail: "The CA revoked the certificate, and there is no other for its names.",
			Means: "Browsers and programs refuse it wherever it is in use.", Do: "Order another, install it wherever this one is in use, and find out why it was revoked.", Since: firstOf(c.RevokedAt, &c.FirstEventAt)}
		if c.Reason != "" {
			m.Detail += words(c.Reason)
		}
		return []Matter{certificateMatter(m, c, m.Since)}
	})
}

func (s *Store) lapsing(now time.Time) finder {
	return finding(s, lapsingCertificates, Query{State: matter, Sort: "not_after", Now: now}, func(c *Certificate) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterExpires, Title: "Expires soon: " + subjectOf(c.CommonName, c.Provider, c.ID), Due: c.NotAfter,
			Detail: fmt.Sprintf("Valid until %s, %d days from now, and there is no newer certificate for its names.", c.NotAfter.UTC().Format(time.DateOnly), *c.DaysLeft),
			Means:  "After that browsers and programs refuse it wherever it is in use.", Do: "Renew it, and install the new one. If nobody needs it any more, acknowledge this.",
			Since: firstOf(expiringFrom(c), &c.FirstEventAt)}
		if *c.DaysLeft < 7 {
			m.Severity = Critical
		}
		if c.State == lifecycle.Expired {
			m.Title = "Expired: " + subjectOf(c.CommonName, c.Provider, c.ID)
			m.Detail = "Valid until " + c.NotAfter.UTC().Format("2006-01-02 15:04 UTC") + ", and there is no newer certificate for its names."
			m.Means = "Browsers and programs refuse it wherever it is in use."
		}
		return []Matter{certificateMatter(m, c, *c.NotAfter)}
	})
}

func expiringFrom(c *Certificate) *schema.Time {
	return lifecycle.Certificate{Cert: schema.Certificate{NotBefore: c.NotBefore, NotAfter: c.NotAfter}}.ExpiringFrom()
}

func certificateMatter(m Matter, c *Certificate, when schema.Time) Matter {
	m.Provider, m.Href = c.Provider, href("certificates", c.Provider, c.ID)
	return m.identified(c.ID, "", when)
}
