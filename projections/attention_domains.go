package projections

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// validationEnd tells when a CA's validation of a domain ends.
type validationEnd struct {
	rowKey
	at schema.Time
}

// lapsingDomains finds the domains whose validation ends, so long after now as from and until say, before the next
// renewal of a certificate that needs it: dated are those of which the CA said when. Nearly all domains end with no
// such need, so that their ends are looked through first, and only the rows of those that are a matter are read.
func (s *Store) lapsingDomains(q Query, dated bool, from, until time.Duration) finder {
	return func(ctx context.Context, cursor string) (matters []Matter, next string, err error) {
		db, done, err := s.reader()
		if err != nil {
			return nil, "", err
		}
		defer done(&err)
		ends, next, err := validationEnds(ctx, db, cursor, q, dated, schema.At(q.Now.Add(from)), schema.At(q.Now.Add(until)))
		if err != nil {
			return nil, "", err
		}
		needed, err := neededLonger(ctx, db, ends, q.Now)
		if err != nil || len(needed) == 0 {
			return nil, next, err
		}
		found, err := s.domainsOf(ctx, slices.Collect(maps.Keys(needed)), q.Now)
		if err != nil {
			return nil, "", err
		}
		for i := range found {
			found[i].ExpiresAt = rules.LapseOf(found[i].ValidatedAt, found[i].ExpiresAt)
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

// validationEnds returns the validations that lapse after one time and not after another, though their CA has not said
// so: those that lapse first, MaxLimit at most, and the cursor of what comes after them. Of those that are not dated
// the limits on reuse say when.
func validationEnds(ctx context.Context, db *sql.DB, cursor string, q Query, dated bool, after, until schema.Time) (ends []validationEnd, next string, err error) {
	w, by := &where{}, "expires_at"
	if dated {
		w.add("expires_at > ? AND expires_at <= ?", after.String(), until.String())
	} else {
		by = "validated_at"
		reusableSince := func(t schema.Time) string { return schema.At(rules.ReusableSince(t.Add(time.Millisecond))).String() }
		w.add("validated_at >= ? AND validated_at < ?", reusableSince(after), reusableSince(until))
		w.add("expires_at = ''")
	}
	w.add("+state = 'validated'")
	if q.row != nil {
		w.add("provider = ? AND name = ?", q.row.provider, q.row.id)
	}
	if err := w.after(cursor, Domains.Name, by, "name"); err != nil {
		return nil, "", err
	}
	found, err := db.QueryContext(ctx, "SELECT provider, name, "+by+" FROM domains"+w.sql(by)+" ORDER BY "+by+", provider, name LIMIT ?", append(w.args, MaxLimit)...)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	var last schema.Time // what the column says of the last
	for found.Next() {
		var end validationEnd
		if err := found.Scan(&end.provider, &end.id, timeColumn{&last}); err != nil {
			return nil, "", err
		}
		if end.at = last; !dated {
			end.at = *rules.LapseOf(&last, nil)
		}
		ends = append(ends, end)
	}
	if len(ends) == MaxLimit {
		next = position{Domains.Name, by, last.String(), ends[MaxLimit-1].provider, ends[MaxLimit-1].id}.cursor()
	}
	return ends, next, found.Err()
}

// neededLonger returns those of the domains whose validation lapses before a renewal that needs it, and when that is to
// begin.
func neededLonger(ctx context.Context, db *sql.DB, ends []validationEnd, now time.Time) (map[rowKey]schema.Time, error) {
	of := make([]rowKey, len(ends))
	for i := range ends {
		of[i] = ends[i].rowKey
	}
	renewals, err := nextRenewals(ctx, db, of, now)
	if err != nil {
		return nil, err
	}
	needed := map[rowKey]schema.Time{}
	for i := range ends {
		if rules.LapsesFirst(&ends[i].at, renewals[i], now) {
			needed[of[i]] = *renewals[i]
		}
	}
	return needed, nil
}

// domainsOf returns the domains with these keys, MaxLimit at most.
func (s *Store) domainsOf(ctx context.Context, keys []rowKey, now time.Time) ([]Domain, error) {
	text, err := keysText(keys)
	if err != nil {
		return nil, err
	}
	var all []string // they are no more than were asked for
	return selected(ctx, s, Domains, now, &all, func(w *where) {
		w.found, w.foundArgs = []string{"SELECT value ->> 0, value ->> 1 FROM json_each(?)"}, []any{text}
	})
}
