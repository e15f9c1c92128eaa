package projections

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// DomainAt returns all that was known of one domain name as of a moment: each part as of then, those that did not bear
// the name yet left out. It is ErrNotFound where none did.
//
// The parts are looked for among the rows that bear the name now, and among the orders of certificates that do: an
// order that was reissued without the name is found. Where other rows lost a name (a website that has another zone now)
// they are not, nor are findings that only say of which target they are.
func (s *Store) DomainAt(ctx context.Context, name string, m Moment) (d *DomainDetail, err error) {
	normal, err := schema.DomainName(name)
	if err != nil {
		return nil, ErrNotFound
	}
	d = &DomainDetail{Name: normal}
	if m.present() {
		if d, err = s.Domain(ctx, normal, m.Now); err != nil {
			return nil, err
		}
	}
	f, done, err := s.readFile()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	r := newReading(s, f, m)
	r.events = map[uint64]*schema.Event{}
	if m.present() {
		for i := range d.Validations {
			r.annotate(ctx, Domains, d.Validations[i].Timeline)
		}
	} else if err := r.domain(ctx, d); err != nil {
		return nil, err
	}
	d.Events, err = r.moments(ctx, normal)
	return d, err
}

// domain fills d as of the reading's moment.
func (r *reading) domain(ctx context.Context, d *DomainDetail) error {
	name, wildcard := schema.ReverseName(d.Name), schema.ReverseName(wildcardOf(d.Name))
	for _, part := range []func() error{
		func() (err error) { d.Validations, err = bearers(ctx, r, Domains, d, name); return },
		func() (err error) { d.Orders, err = bearers(ctx, r, Orders, d, name, wildcard); return },
		func() (err error) {
			if d.Certificates, err = bearers(ctx, r, Certificates, d, name, wildcard); err == nil {
				err = r.succeed(ctx, pointers(d.Certificates)...)
			}
			return
		},
		func() (err error) { d.DNSSEC, err = bearers(ctx, r, DNSSECs, d, name); return },
		func() (err error) { d.Targets, err = bearers(ctx, r, Targets, d, name); return },
		func() (err error) { d.Findings, err = bearers(ctx, r, Findings, d, name); return },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	d.Findings = slices.DeleteFunc(d.Findings, func(f Finding) bool { return !f.TLS })
	if d.empty() {
		return ErrNotFound
	}
	return r.renewals(ctx, d)
}

// bearers returns the rows that as of the moment bear one of the reversed names, MaxLimit or PageBytes at most, most
// recent first. whole is set to the last event of any of them.
func bearers[S, T any](ctx context.Context, r *reading, t *Table[S, T], whole *DomainDetail, reversed ...string) ([]T, error) {
	keys, err := r.candidates(ctx, t.Name, t.Key, reversed)
	if err != nil {
		return nil, err
	}
	var found []*past
	held := 0
	for i, key := range keys {
		if i == MaxLimit || held >= PageBytes {
			whole.Truncated = append(whole.Truncated, t.Name)
			break
		}
		p, err := r.foldAsOf(ctx, t, key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(t.Names(key.id, p.state), func(name string) bool { return slices.Contains(reversed, schema.ReverseName(name)) }) {
			found = append(found, p)
			held += t.weigh(p.state)
		}
	}
	slices.SortFunc(found, func(a, b *past) int {
		return cmp.Or(t.Life(b.state).LastEventAt.Compare(t.Life(a.state).LastEventAt.Time), cmp.Compare(a.provider, b.provider), cmp.Compare(a.id, b.id))
	})
	items := make([]T, len(found))
	for i, p := range found {
		row := RowOf(p.item)
		if whole.AsOfSeq = max(whole.AsOfSeq, row.AsOfSeq); whole.AsOf == nil {
			whole.AsOf = row.AsOf
		}
		if row.Then = (Then{}); t.Name != lifecycle.Domains {
			row.Timeline = nil
		}
		items[i] = *p.item.(*T)
	}
	return items, nil
}

// candidates returns the rows that may have borne one of the names, most recent first.
func (r *reading) candidates(ctx context.Context, model, key string, reversed []string) ([]rowKey, error) {
	in := "reversed IN (?" + strings.Repeat(", ?", len(reversed)-1) + ")"
	text := "SELECT provider, " + key + " FROM (SELECT DISTINCT provider AS p, id AS i FROM names WHERE model = '" + model + "' AND " + in
	args := make([]any, 0, 2*len(reversed)+1)
	for _, name := range reversed {
		args = append(args, name)
	}
	if model == lifecycle.Orders {
		text += " UNION SELECT c.provider, c.order_id FROM certificates c JOIN names n ON n.provider = c.provider AND n.id = c.id WHERE n.model = 'certificates' AND n." + in
		args = append(args, args...)
	}
	text += ") CROSS JOIN " + model + " ON provider = p AND " + key + " = i" // else SQLite goes through the whole table in its order
	return r.keys(ctx, text+" ORDER BY last_event_at DESC, provider, "+key+" LIMIT ?", append(args, MaxLimit+1)...)
}

// moments returns the events of every row that may have borne the name or, of orders and certificates, the wildcard
// above it; ascending.
func (r *reading) moments(ctx context.Context, name string) ([]TimelineEntry, error) {
	reversed, wildcard := schema.ReverseName(name), schema.ReverseName(wildcardOf(name))
	found, err := r.db.QueryContext(ctx, `WITH concerned (model, provider, id) AS (
			SELECT model, provider, id FROM names WHERE reversed IN (?1, ?2) AND (reversed = ?1 OR model IN ('orders', 'certificates'))
			UNION SELECT 'orders', c.provider, c.order_id FROM certificates c JOIN names n ON n.provider = c.provider AND n.id = c.id
			WHERE n.model = 'certificates' AND n.reversed IN (?1, ?2))
		SELECT t.seq, t.time, t.type, t.facts FROM concerned r JOIN timeline t ON t.model = r.model AND t.provider = r.provider AND t.id = r.id
		GROUP BY t.seq ORDER BY t.seq DESC LIMIT ?3`, reversed, wildcard, TimelineLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var entries []TimelineEntry
	for found.Next() {
		var e TimelineEntry
		if err := found.Scan(&e.Seq, timeColumn{&e.Time}, &e.Type, factsColumn{&e.Facts}); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	return entries, found.Err()
}
