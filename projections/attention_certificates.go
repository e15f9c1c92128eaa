package projections

import (
	"context"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// lapsedFor is how long a certificate that expired without a successor is a matter.
const lapsedFor = 30 * 24 * time.Hour

// unsucceeded is the condition that no certificate takes the place of this one.
var unsucceeded = "NOT EXISTS (SELECT 1 FROM certificates n WHERE " + strings.ReplaceAll(newer, "c.", "certificates.") + ")"

// The certificates as lists of those whose revocation is announced, of those that are revoked, and of those that expire, each as long as it matters.
// A plus keeps SQLite from going through all of a phase.
var (
	announcedCertificates = limited(Certificates, "announced AND +phase = 'issued'")
	revokedCertificates   = restated(limited(Certificates, unsucceeded), func(now string) (string, []any) {
		return "phase = 'revoked' AND phase <> 'issued' AND (not_after = '' OR not_after > ?)", []any{now}
	})
	lapsingCertificates = restated(limited(Certificates, unsucceeded), func(now string) (string, []any) {
		return "+phase = 'issued' AND expiring_from <= ? AND not_after > ? AND not_after <= ?", []any{now, timeAfter(now, -lapsedFor), timeAfter(now, rules.RenewalMost)}
	})
)

// matter is the one state of a restated table, to be asked for with Query.State.
const matter = "matter"

// restated gives t, a copy of a table, that one state in place of its own: a condition that depends on the time, as that of limited cannot.
func restated[S, T any](t *Table[S, T], condition func(now string) (string, []any)) *Table[S, T] {
	t.States = []State{{matter, condition}}
	return t
}

// Announced is a page of the certificates that the CA has announced to revoke, and has not yet; some may have expired meanwhile.
func (s *Store) Announced(ctx context.Context, q Query) ([]Certificate, string, error) {
	return List(ctx, s, announcedCertificates, q)
}

func (s *Store) announced(q Query) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		q.Cursor, q.Limit = cursor, mattersEach
		found, next, err := s.Announced(ctx, q)
		return mattersOf(found, func(c *Certificate) []Matter { return announcedMatters(c, q.Now) }), next, err
	}
}

func announcedMatters(c *Certificate, now time.Time) []Matter {
	if !c.ToBeRevoked() {
		return nil // it came to its end by itself
	}
	m := Matter{Severity: Critical, Kind: schema.MatterRevocationAnnounced, What: "Revocation announced",
		Detail: "The CA has announced that it will revoke this certificate.", Due: c.RevokesAt, Since: firstOf(c.AnnouncedAt, &c.FirstEventAt)}
	if c.RevokesAt != nil {
		m.Detail = revocation(*c.RevokesAt, now)
	}
	if c.Reason != "" {
		m.Detail += words(c.Reason)
	}
	m.Means, m.Do = "From then on, browsers and other clients reject it wherever it is in use.", "Order a replacement, and install it wherever this one is in use before the CA revokes it."
	if c.Successor != nil {
		m.Severity, m.Do = Warning, "Its successor, certificate "+c.Successor.ID+", has been issued: make sure that it is installed wherever this one is in use."
	}
	if m.Due != nil && !now.Before(m.Due.Time) { // whether the CA has done so is not known
		m.Means = "Browsers and other clients may reject it by now wherever it is in use."
		if c.Successor == nil {
			m.Do = "Order a replacement, and install it at once wherever this one is in use."
		}
	}
	return []Matter{certificateMatter(m, c, m.Since)}
}

// revocation is when the CA revokes, with what is left until then.
func revocation(at schema.Time, now time.Time) string {
	moment := at.UTC().Format(minuteLayout)
	switch left := at.Sub(now); {
	case left <= 0:
		return "The CA was due to revoke this certificate on " + moment + "."
	case left < time.Hour:
		return "The CA will revoke this certificate on " + moment + ", in " + counted(int(left.Minutes()), "minute") + "."
	default:
		return "The CA will revoke this certificate on " + moment + ", in " + counted(int(left.Hours()), "hour") + "."
	}
}

func (s *Store) revoked(q Query) finder {
	q.State = matter
	return finding(s, revokedCertificates, q, func(c *Certificate) []Matter {
		m := Matter{Severity: Critical, Kind: schema.MatterRevoked, What: "Revoked", Detail: "The CA has revoked this certificate, and there is no other for its names.",
			Means: "Browsers and other clients reject it wherever it is in use.", Do: "Order a replacement, install it wherever this one is in use, and find out why it was revoked.", Since: firstOf(c.RevokedAt, &c.FirstEventAt)}
		if c.Reason != "" {
			m.Detail += words(c.Reason)
		}
		return []Matter{certificateMatter(m, c, m.Since)}
	})
}

func (s *Store) lapsing(q Query) finder {
	q.State, q.Sort = matter, "not_after"
	return finding(s, lapsingCertificates, q, func(c *Certificate) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterExpires, What: "Expires soon", Due: c.NotAfter,
			Detail: "It is valid until " + c.NotAfter.UTC().Format(dayLayout) + ", " + counted(*c.DaysLeft, "day") + " from now, and there is no newer certificate for its names.",
			Means:  "After that, browsers and other clients reject it wherever it is in use.", Do: "Renew it, and install the new one. If nobody needs it any more, acknowledge this.",
			Since: firstOf(c.RenewFrom, &c.FirstEventAt)}
		if *c.DaysLeft < 7 {
			m.Severity = Critical
		}
		if c.State == lifecycle.Expired {
			m.What = "Expired"
			m.Detail = "It was valid until " + c.NotAfter.UTC().Format(minuteLayout) + ", and there is no newer certificate for its names."
			m.Means = "Browsers and other clients reject it wherever it is in use."
		}
		return []Matter{certificateMatter(m, c, *c.NotAfter)}
	})
}

func certificateMatter(m Matter, c *Certificate, when schema.Time) Matter {
	m.About, m.Number, m.Provider, m.Href = c.CommonName, c.ID, c.Provider, href("certificates", c.Provider, c.ID)
	return m.identified(c.ID, "", when)
}
