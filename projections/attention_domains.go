package projections

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// lapsesWithin is how long before its end the validation of a domain may be a matter, and how long after it, if nobody said so.
const lapsesWithin = 30 * 24 * time.Hour

// validationEnd is when a CA's validation of a domain ends.
type validationEnd struct {
	provider, name string
	at             schema.Time
}

// lapsingDomains are those whose validation ends, so long after now as from and until say, before the next renewal of a certificate that needs it. Nearly
// all domains end with no such need, so that their ends are looked through first, and only the rows of those that are a matter are read.
func (s *Store) lapsingDomains(q Query, from, until time.Duration) finder {
	return func(ctx context.Context, cursor string) (matters []Matter, next string, err error) {
		db, done, err := s.reader()
		if err != nil {
			return nil, "", err
		}
		defer done(&err)
		ends, next, err := validationEnds(ctx, db, cursor, q, from, until)
		if err != nil {
			return nil, "", err
		}
		needed, err := neededLonger(ctx, db, ends)
		if err != nil || len(needed) == 0 {
			return nil, next, err
		}
		found, err := s.domainsOf(ctx, slices.Collect(maps.Keys(needed)), q.Now)
		if err != nil {
			return nil, "", err
		}
		slices.SortFunc(found, func(a, b Domain) int {
			return cmp.Or(compareTimes(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Name, b.Name))
		})
		for i := range found {
			d := &found[i]
			m := domainMatter(d, q.Now)
			renewal := needed[rowKey{d.Provider, d.Name}]
			m.Facts.Renewal = &renewal
			matters = append(matters, m)
		}
		return matters, next, nil
	}
}

// validationEnds are the validations that end so long after now, though their CA has not said so: those that end first, MaxLimit at most, and the cursor
// of what comes after them.
func validationEnds(ctx context.Context, db *sql.DB, cursor string, q Query, from, until time.Duration) (ends []validationEnd, next string, err error) {
	const by = "expires_at"
	w, about := &where{}, schema.At(q.Now).String()
	w.add("expires_at > ? AND expires_at <= ?", timeAfter(about, from), timeAfter(about, until))
	w.add("+state = 'validated'")
	if q.row != nil {
		w.add("provider = ? AND name = ?", q.row.provider, q.row.id)
	}
	if err := w.after(cursor, domains.name, by, "name"); err != nil {
		return nil, "", err
	}
	found, err := db.QueryContext(ctx, "SELECT provider, name, expires_at FROM domains"+w.sql("expires_at")+" ORDER BY expires_at, provider, name LIMIT ?", append(w.args, MaxLimit)...)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	for found.Next() {
		var end validationEnd
		if err := found.Scan(&end.provider, &end.name, timeColumn{&end.at}); err != nil {
			return nil, "", err
		}
		ends = append(ends, end)
	}
	if len(ends) == MaxLimit {
		last := ends[MaxLimit-1]
		next = position{domains.name, by, last.at.String(), last.provider, last.name}.cursor()
	}
	return ends, next, found.Err()
}

// neededLonger are those of the domains whose validation ends before a renewal that needs it, and when that is to begin.
func neededLonger(ctx context.Context, db *sql.DB, ends []validationEnd) (map[rowKey]schema.Time, error) {
	renewals, err := nextRenewals(ctx, db, ends)
	if err != nil {
		return nil, err
	}
	needed := map[rowKey]schema.Time{}
	for i, end := range ends {
		if renewal := renewals[i]; renewal != nil && renewal.After(end.at.Time) {
			needed[rowKey{end.provider, end.name}] = *renewal
		}
	}
	return needed, nil
}

// domainsOf are the domains with these keys, MaxLimit at most.
func (s *Store) domainsOf(ctx context.Context, keys []rowKey, now time.Time) ([]Domain, error) {
	pairs := make([][2]string, len(keys))
	for i, key := range keys {
		pairs[i] = [2]string{key.provider, key.id}
	}
	text, err := json.Marshal(pairs)
	if err != nil {
		return nil, err
	}
	var all []string // they are no more than were asked for
	return selected(ctx, s, domains, now, &all, func(w *where) {
		w.found, w.foundArgs = []string{"SELECT value ->> 0, value ->> 1 FROM json_each(?)"}, []any{string(text)}
	})
}

// renewalsRead bounds how many certificates of one domain are looked at for the next renewal.
const renewalsRead = 1000

// nextRenewals are, for each of the validations, when the last of the CA's certificates for it, or a name below it, begins to expire; nil where there is none.
func nextRenewals(ctx context.Context, db *sql.DB, of []validationEnd) ([]*schema.Time, error) {
	wanted := make([][4]string, len(of))
	for i := range of {
		reversed := schema.ReverseName(of[i].name)
		from, to := belowName(reversed)
		wanted[i] = [4]string{of[i].provider, reversed, from, to}
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
