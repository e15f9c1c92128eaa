package projections

import (
	"context"
	"database/sql"
	"encoding/json"
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
		renewals, err := nextRenewals(ctx, db, found)
		if err != nil {
			return nil, "", err
		}
		for i := range found {
			d, renewal := &found[i], renewals[i]
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

// nextRenewals are, for each of the domains, when the last of the CA's certificates for it, or a name below it, begins to expire; nil where there is none.
func nextRenewals(ctx context.Context, db *sql.DB, of []Domain) ([]*schema.Time, error) {
	wanted := make([][4]string, len(of))
	for i := range of {
		reversed := schema.ReverseName(of[i].Name)
		from, to := belowName(reversed)
		wanted[i] = [4]string{of[i].Provider, reversed, from, to}
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, `WITH of AS MATERIALIZED (SELECT key, value ->> 0 AS provider, value ->> 1 AS name, value ->> 2 AS below, value ->> 3 AS beyond FROM json_each(?))
		SELECT coalesce((SELECT max(expiring_from) FROM (
			SELECT c.expiring_from FROM names n CROSS JOIN certificates c ON c.provider = n.provider AND c.id = n.id
			WHERE (n.reversed = of.name OR n.reversed >= of.below AND n.reversed < of.beyond) AND n.model = 'certificates' AND n.provider = of.provider
				AND c.phase = 'issued' AND c.expiring_from <> '' LIMIT ?)), '') FROM of ORDER BY key`, string(text), renewalsRead)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	renewals := make([]*schema.Time, 0, len(of))
	for found.Next() {
		var from string
		if err := found.Scan(&from); err != nil {
			return nil, err
		}
		var renewal *schema.Time
		if err := scanTime(from, func(t schema.Time) { renewal = &t }); err != nil {
			return nil, err
		}
		renewals = append(renewals, renewal)
	}
	return renewals, found.Err()
}
