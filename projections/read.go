package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// DomainsNamed returns all validations of the names, at most MaxLimit of them, by name and provider.
func (s *Store) DomainsNamed(ctx context.Context, names []string, now time.Time) (items []Domain, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	text, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, Domains.selectColumns()+" FROM (SELECT DISTINCT value FROM json_each(?)) CROSS JOIN domains ON name = value ORDER BY name, provider LIMIT ?", string(text), MaxLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	items, _, err = Domains.items(found, now)
	return items, err
}

// Domain returns all that is known of one domain name: its validations, what bears the name or a wildcard above it, and
// its zone's rotation.
func (s *Store) Domain(ctx context.Context, name string, now time.Time) (_ *DomainDetail, err error) {
	normal, err := schema.DomainName(name)
	if err != nil {
		return nil, ErrNotFound
	}
	d := &DomainDetail{Name: normal, Validations: []Domain{}}
	for _, provider := range []func() error{
		func() (err error) { d.Validations, err = named(ctx, s, Domains, now, &d.Truncated, normal); return },
		func() (err error) {
			d.Orders, err = named(ctx, s, Orders, now, &d.Truncated, normal, wildcardOf(normal))
			return
		},
		func() (err error) {
			if d.Certificates, err = named(ctx, s, Certificates, now, &d.Truncated, normal, wildcardOf(normal)); err == nil {
				err = s.succeeded(ctx, d.Certificates)
			}
			return
		},
		func() (err error) { d.DNSSEC, err = named(ctx, s, DNSSECs, now, &d.Truncated, normal); return },
		func() (err error) { d.Targets, err = named(ctx, s, Targets, now, &d.Truncated, normal); return },
		func() (err error) {
			d.Findings, err = s.tlsFindingsOn(ctx, normal, d.Targets, now, &d.Truncated)
			return
		},
	} {
		if err := provider(); err != nil {
			return nil, err
		}
	}
	if d.empty() {
		return nil, ErrNotFound
	}
	for i := range d.Validations {
		v, err := One(ctx, s, Domains, d.Validations[i].Provider, normal, Moment{Now: now, RowOnly: true})
		if err != nil {
			return nil, err
		}
		d.Validations[i] = *v
	}
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	return d, renewed(ctx, db, d.Validations, now)
}

// empty reports whether nothing is known of the name.
func (d *DomainDetail) empty() bool {
	return len(d.Validations)+len(d.Orders)+len(d.Certificates)+len(d.DNSSEC)+len(d.Targets)+len(d.Findings) == 0
}

// Quarantine names, among the read models, the events that changed no row.
const Quarantine = "quarantine"

// Quarantine returns a page of the events that changed no row, newest first.
func (s *Store) Quarantine(ctx context.Context, q Query) (items []Quarantined, next string, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, "", err
	}
	defer done(&err)
	w := &where{}
	if q.row != nil {
		w.add("provider = ? AND seq = ?", q.row.provider, q.row.id)
	}
	if q.Provider != "" {
		w.add("provider = ?", q.Provider)
	}
	if q.Cursor != "" {
		seq, err := strconv.ParseUint(q.Cursor, 10, 63)
		if err != nil {
			return nil, "", fmt.Errorf("%w: the cursor is not one that a page of this list gave", ErrQuery)
		}
		w.add("seq < ?", seq)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	found, err := db.QueryContext(ctx, "SELECT seq, time, provider, reason, original FROM quarantine"+w.sql("")+" ORDER BY seq DESC LIMIT ?", append(w.args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	items = []Quarantined{}
	held, most := 0, cmp.Or(q.Bytes, PageBytes)
	for found.Next() {
		if len(items) == limit || held >= most {
			return items, strconv.FormatUint(items[len(items)-1].Seq, 10), nil
		}
		var item Quarantined
		var original string
		if err := found.Scan(&item.Seq, timeColumn{&item.Time}, &item.Provider, &item.Reason, &original); err != nil {
			return nil, "", err
		}
		if err := json.Unmarshal([]byte(original), &item.Original); err != nil {
			return nil, "", fmt.Errorf("%w: %w", errUnreadable, err)
		}
		items = append(items, item)
		held += rowWeight + len(original)
	}
	return items, "", found.Err()
}

func (s *Store) countQuarantine(ctx context.Context, q Query) (n int, err error) {
	db, done, err := s.reader()
	if err != nil {
		return 0, err
	}
	defer done(&err)
	w := &where{}
	if q.Provider != "" {
		w.add("provider = ?", q.Provider)
	}
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM quarantine"+w.sql("")+" LIMIT ?)", append(w.args, CountLimit+1)...).Scan(&n)
	return n, err
}
