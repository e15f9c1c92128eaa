package projections

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// The limits of what one order's answer brings beside its row.
const (
	orderNamesLimit        = 250 // names whose validation is looked for
	orderCertificatesLimit = 50  // certificates, the newest
)

// completeOrder adds to an order the validations of its names and its certificates.
func (r *reading) completeOrder(ctx context.Context, o *Order) (err error) {
	r.events = map[uint64]*schema.Event{}
	if o.Validations, err = r.validations(ctx, o); err != nil {
		return err
	}
	if o.Certificates, err = r.certificatesOf(ctx, o); err != nil {
		return err
	}
	return r.succeed(ctx, pointers(o.Certificates)...)
}

// validations returns what the order's provider says of its names, or of the names above them, by name.
func (r *reading) validations(ctx context.Context, o *Order) ([]Domain, error) {
	names := orderNamesAbove(o)
	if len(names) == 0 {
		return nil, nil
	}
	args := []any{o.Provider}
	for _, name := range names {
		args = append(args, name)
	}
	keys, err := r.keys(ctx, "SELECT provider, name FROM domains WHERE provider = ? AND name IN (?"+strings.Repeat(", ?", len(names)-1)+") ORDER BY name", args...)
	if err != nil {
		return nil, err
	}
	return rowsAsOf(ctx, r, Domains, keys)
}

// certificatesOf returns the certificates that had been issued for the order, newest first, orderCertificatesLimit at
// most.
func (r *reading) certificatesOf(ctx context.Context, o *Order) ([]Certificate, error) {
	known, bound := r.known()
	keys, err := r.keys(ctx, `SELECT provider, id FROM (SELECT provider, id, first_event_at FROM certificates WHERE provider = ?1 AND order_id = ?2
		UNION SELECT provider, id, first_event_at FROM certificates WHERE provider = ?1 AND id = ?3 AND ?3 <> '') n
		WHERE `+known+` ORDER BY first_event_at DESC, id LIMIT ?`, o.Provider, o.ID, o.CertificateID, bound, orderCertificatesLimit)
	if err != nil {
		return nil, err
	}
	return rowsAsOf(ctx, r, Certificates, keys)
}

// orderNamesAbove returns the names of which a validation is good for one of the order's: the name, what a wildcard
// stands for, and the names above.
func orderNamesAbove(o *Order) []string {
	var names []string
	for _, name := range o.Names()[:min(len(o.Names()), orderNamesLimit)] {
		names = append(names, ValidatedAs(name)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Names returns the domain names that the order is for, and those that its CA checks, each once.
func (o *Order) Names() []string {
	names := append([]string{o.CommonName}, o.DNSNames...)
	var checked []string
	for check := range o.Checks {
		if name, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
			checked = append(checked, name)
		}
	}
	slices.Sort(checked)
	var once []string
	for _, name := range append(names, checked...) {
		if name != "" && !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// ValidatedAs returns the names whose validation a CA may take for name's, nearest first: itself, without its wildcard,
// and those above it (Baseline Requirements 3.2.2.4: an Authorization Domain Name may lack labels from the left).
func ValidatedAs(name string) []string {
	names := []string{name}
	for rest := name; strings.Count(rest, ".") > 1 || strings.HasPrefix(rest, "*."); {
		_, rest, _ = strings.Cut(rest, ".")
		names = append(names, rest)
	}
	return names
}

// keys returns the rows that a query of provider and id finds.
func (r *reading) keys(ctx context.Context, query string, args ...any) ([]rowKey, error) {
	found, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var keys []rowKey
	for found.Next() {
		var k rowKey
		if err := found.Scan(&k.provider, &k.id); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, found.Err()
}

// rowsAsOf returns the rows as of the reading's moment, without their timelines; those that no event had concerned yet
// are left out.
func rowsAsOf[S, T any](ctx context.Context, r *reading, t *Table[S, T], keys []rowKey) ([]T, error) {
	var items []T
	for _, key := range keys {
		item, err := r.rowThen(ctx, t, key)
		if errors.Is(err, ErrNotFound) || errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		items = append(items, *item.(*T))
	}
	return items, nil
}

func (r *reading) rowThen(ctx context.Context, m Model, key rowKey) (any, error) {
	if r.m.present() {
		state, err := stored(ctx, r.db, m, key)
		return itemOf(m, key, state, r.m.Now), err
	}
	p, err := r.foldAsOf(ctx, m, key)
	if err != nil {
		return nil, err
	}
	row := RowOf(p.item)
	row.Timeline, row.Then = nil, Then{}
	return p.item, nil
}
