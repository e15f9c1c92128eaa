package projections

import (
	"context"
	"database/sql"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// lapsesWithin is how long before its end the validation of a domain may be a matter, and how long after it, if nobody said so.
const lapsesWithin = 30 * 24 * time.Hour

// lapsing is the domains as a list of those whose validation ends about now, though their CA has not said so.
var lapsing = restated(limited(domains, "+state = 'validated'"), func(now string) (string, []any) {
	return "expires_at > ? AND expires_at <= ?", []any{timeAfter(now, -lapsesWithin), timeAfter(now, lapsesWithin)}
})

// lapsingDomains are those whose validation ends before the next renewal of a certificate that needs it.
func (s *Store) lapsingDomains(now time.Time) finder {
	return func(ctx context.Context, cursor string) (matters []Matter, next string, err error) {
		found, next, err := page(ctx, s, lapsing, Query{State: matter, Sort: "expires_at", Cursor: cursor, Limit: mattersEach, Now: now})
		if err != nil {
			return nil, "", err
		}
		db, done, err := s.reader()
		if err != nil {
			return nil, "", err
		}
		defer done(&err)
		for i := range found {
			d := &found[i]
			renewal, err := nextRenewal(ctx, db, d)
			if err != nil {
				return nil, "", err
			}
			if renewal != nil && renewal.After(d.ExpiresAt.Time) {
				m := domainMatter(d, now)
				m.Detail += " The next renewal of a certificate for it is to begin on " + renewal.UTC().Format(time.DateOnly) + "."
				matters = append(matters, m)
			}
		}
		return matters, next, nil
	}
}

// renewalsRead bounds how many certificates of one domain are looked at for the next renewal.
const renewalsRead = 1000

// nextRenewal is when the last of the CA's certificates for the domain, or a name below it, begins to expire; nil where there is none.
func nextRenewal(ctx context.Context, db *sql.DB, d *Domain) (*schema.Time, error) {
	reversed := schema.ReverseName(d.Name)
	var from sql.NullString
	err := db.QueryRowContext(ctx, `SELECT max(expiring_from) FROM (
		SELECT c.expiring_from FROM names n CROSS JOIN certificates c ON c.provider = n.provider AND c.id = n.id
		WHERE (n.reversed = ?1 OR n.reversed >= ?2 AND n.reversed < ?3) AND n.model = 'certificates' AND n.provider = ?4 AND c.phase = 'issued' AND c.expiring_from <> '' LIMIT ?5)`,
		reversed, reversed+".", reversed+"/", d.Provider, renewalsRead).Scan(&from)
	if err != nil || from.String == "" {
		return nil, err
	}
	t, err := schema.ParseTime(from.String)
	return &t, err
}
