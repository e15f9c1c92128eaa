package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Orders is a page of the orders, and the cursor of the next; likewise the other lists.
func (s *Store) Orders(ctx context.Context, q Query) ([]Order, string, error) {
	return page(ctx, s, orders, q)
}

// Domains is a page of the domains' validations.
func (s *Store) Domains(ctx context.Context, q Query) ([]Domain, string, error) {
	return page(ctx, s, domains, q)
}

// DomainsNamed are all validations of the names, at most MaxLimit of them, by name and provider.
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
	found, err := db.QueryContext(ctx, domains.selectColumns()+" FROM (SELECT DISTINCT value FROM json_each(?)) CROSS JOIN domains ON name = value ORDER BY name, provider LIMIT ?", string(text), MaxLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	items, _, err = domains.items(found, now)
	return items, err
}

// DNSSECs is a page of the key rotations.
func (s *Store) DNSSECs(ctx context.Context, q Query) ([]DNSSEC, string, error) {
	return page(ctx, s, dnssecs, q)
}

// Organizations is a page of the organizations' validations.
func (s *Store) Organizations(ctx context.Context, q Query) ([]Organization, string, error) {
	return page(ctx, s, organizations, q)
}

// Websites is a page of the websites and databases.
func (s *Store) Websites(ctx context.Context, q Query) ([]Website, string, error) {
	return page(ctx, s, websites, q)
}

// Accounts is a page of the accounts, with what their providers last said of them.
func (s *Store) Accounts(ctx context.Context, q Query) ([]Website, string, error) {
	return page(ctx, s, accounts, q)
}

// Order is one order with its timeline; ErrNotFound if no event concerns it. Likewise the others.
func (s *Store) Order(ctx context.Context, provider, id string, now time.Time) (*Order, error) {
	return one(ctx, s, orders, provider, id, now, func(o *Order, t []TimelineEntry) { o.Timeline = t })
}

// DNSSEC is one zone's rotation with its timeline.
func (s *Store) DNSSEC(ctx context.Context, provider, websiteID string, now time.Time) (*DNSSEC, error) {
	return one(ctx, s, dnssecs, provider, websiteID, now, func(d *DNSSEC, t []TimelineEntry) { d.Timeline = t })
}

// Organization is one organization with its timeline.
func (s *Store) Organization(ctx context.Context, provider, id string, now time.Time) (*Organization, error) {
	return one(ctx, s, organizations, provider, id, now, func(o *Organization, t []TimelineEntry) { o.Timeline = t })
}

// Website is one website or database with its timeline.
func (s *Store) Website(ctx context.Context, provider, id string, now time.Time) (*Website, error) {
	return one(ctx, s, websites, provider, id, now, func(w *Website, t []TimelineEntry) { w.Timeline = t })
}

// Domain is all that is known of one domain name: its validations, what bears the name or a wildcard above it, and its zone's rotation.
func (s *Store) Domain(ctx context.Context, name string, now time.Time) (_ *DomainDetail, err error) {
	normal, err := schema.DomainName(name)
	if err != nil {
		return nil, ErrNotFound
	}
	d := &DomainDetail{Name: normal, Validations: []Domain{}}
	for _, provider := range []func() error{
		func() (err error) { d.Validations, err = named(ctx, s, domains, now, &d.Truncated, normal); return },
		func() (err error) {
			d.Orders, err = named(ctx, s, orders, now, &d.Truncated, normal, wildcardOf(normal))
			return
		},
		func() (err error) {
			if d.Certificates, err = named(ctx, s, certificates, now, &d.Truncated, normal, wildcardOf(normal)); err == nil {
				err = s.succeeded(ctx, d.Certificates)
			}
			return
		},
		func() (err error) { d.DNSSEC, err = named(ctx, s, dnssecs, now, &d.Truncated, normal); return },
		func() (err error) { d.Targets, err = named(ctx, s, targets, now, &d.Truncated, normal); return },
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
		v, err := one(ctx, s, domains, d.Validations[i].Provider, normal, now, func(d *Domain, t []TimelineEntry) { d.Timeline = t })
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

// empty tells whether nothing is known of the name.
func (d *DomainDetail) empty() bool {
	return len(d.Validations)+len(d.Orders)+len(d.Certificates)+len(d.DNSSEC)+len(d.Targets)+len(d.Findings) == 0
}

// Count is how many rows of the model the query matches, CountLimit+1 at most.
func (s *Store) Count(ctx context.Context, model string, q Query) (int, error) {
	switch model {
	case lifecycle.Orders:
		return count(ctx, s, orders, q)
	case lifecycle.Certificates:
		return count(ctx, s, certificates, q)
	case lifecycle.Domains:
		return count(ctx, s, domains, q)
	case lifecycle.DNSSECs:
		return count(ctx, s, dnssecs, q)
	case lifecycle.Organizations:
		return count(ctx, s, organizations, q)
	case lifecycle.Websites:
		return count(ctx, s, websites, q)
	case lifecycle.Users:
		return count(ctx, s, users, q)
	case lifecycle.Targets:
		return count(ctx, s, targets, q)
	case lifecycle.Scans:
		return count(ctx, s, scans, q)
	case lifecycle.Findings:
		return count(ctx, s, findings, q)
	case "quarantine":
		return s.countQuarantine(ctx, q)
	}
	return 0, fmt.Errorf("%w: there is no list of %s", ErrQuery, model)
}

// Quarantine is a page of the events that changed no row, newest first.
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
