package projections

import (
	"context"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// lapsedFor bounds how long a certificate that expired without a successor is a matter.
const lapsedFor = 30 * 24 * time.Hour

// unsucceeded holds where no certificate takes the place of this one.
var unsucceeded = "NOT EXISTS (SELECT 1 FROM certificates n WHERE " + strings.ReplaceAll(newer, "c.", "certificates.") + ")"

// The certificates as lists of those whose revocation is announced, of those that are revoked, and of those that
// expire, each as long as it matters. A plus keeps SQLite from going through all of a phase.
var (
	announcedCertificates = limited(Certificates, "announced AND +phase = 'issued'")
	revokedCertificates   = restated(limited(Certificates, unsucceeded), func(now string) (string, []any) {
		return "phase = 'revoked' AND phase <> 'issued' AND (not_after = '' OR not_after > ?)", []any{now}
	})
	lapsingCertificates = restated(limited(Certificates, unsucceeded), func(now string) (string, []any) {
		return "+phase = 'issued' AND expiring_from <= ? AND not_after > ? AND not_after <= ?", []any{now, timeAfter(now, -lapsedFor), timeAfter(now, rules.RenewalMost)}
	})
)

// matter names the one state of a restated table, to be asked for with Query.State.
const matter = "matter"

// restated gives t, a copy of a table, that one state in place of its own: a condition that depends on the time, as
// that of limited cannot.
func restated[S, T any](t *Table[S, T], condition func(now string) (string, []any)) *Table[S, T] {
	t.States = []State{{matter, condition}}
	return t
}

// Announced returns a page of the certificates that the CA has announced to revoke, and has not yet; some may have
// expired meanwhile.
func (s *Store) Announced(ctx context.Context, q Query) ([]Certificate, string, error) {
	return List(ctx, s, announcedCertificates, q)
}

func (s *Store) announced(q Query) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		q.Cursor, q.Limit = cursor, mattersEach
		found, next, err := s.Announced(ctx, q)
		return mattersOf(found, announcedMatters), next, err
	}
}

func announcedMatters(c *Certificate) []Matter {
	if !c.ToBeRevoked() {
		return nil // it came to its end by itself
	}
	m := Matter{Severity: Critical, Kind: schema.MatterRevocationAnnounced, Due: c.RevokesAt, Since: firstOf(c.AnnouncedAt, &c.FirstEventAt),
		Facts: MatterFacts{Reasons: reasonList(c.Reason)}}
	if c.Successor != nil {
		m.Severity, m.Facts.Successor = Warning, c.Successor.ID
	}
	return []Matter{certificateMatter(m, c, m.Since)}
}

func (s *Store) revoked(q Query) finder {
	q.State = matter
	return finding(s, revokedCertificates, q, func(c *Certificate) []Matter {
		m := Matter{Severity: Critical, Kind: schema.MatterRevoked, Since: firstOf(c.RevokedAt, &c.FirstEventAt), Facts: MatterFacts{Reasons: reasonList(c.Reason)}}
		return []Matter{certificateMatter(m, c, m.Since)}
	})
}

// criticalDays makes the end of a certificate critical, when fewer days are left.
const criticalDays = 7

func (s *Store) lapsing(q Query) finder {
	q.State, q.Sort = matter, "not_after"
	return finding(s, lapsingCertificates, q, func(c *Certificate) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterExpires, Due: c.NotAfter, Since: firstOf(c.RenewFrom, &c.FirstEventAt)}
		if *c.DaysLeft < criticalDays {
			m.Severity = Critical
		}
		return []Matter{certificateMatter(m, c, *c.NotAfter)}
	})
}

func certificateMatter(m Matter, c *Certificate, when schema.Time) Matter {
	m.About, m.Number, m.Provider = c.CommonName, c.ID, c.Provider
	return m.identified(c.ID, "", when)
}
