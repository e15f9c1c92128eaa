package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// renewalsRead bounds how many certificates for a name and those below it are looked at for the next renewal.
const renewalsRead = 10_000

// NextRenewal returns when the next renewal of what a CA's validation of a domain covers should begin; nil where there
// is none.
func (s *Store) NextRenewal(ctx context.Context, provider, name string, now time.Time) (_ *schema.Time, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	next, err := nextRenewals(ctx, db, []rowKey{{provider, name}}, now)
	if err != nil {
		return nil, err
	}
	return next[0], nil
}

// nextRenewals returns NextRenewal for each of the validations. SQL selects the certificates and the validations that
// may count; rules decide.
func nextRenewals(ctx context.Context, db *sql.DB, of []rowKey, now time.Time) ([]*schema.Time, error) {
	renewals, err := renewalsBelow(ctx, db, of, now)
	if err != nil {
		return nil, err
	}
	usable, err := usableNearer(ctx, db, of, renewals, now)
	if err != nil {
		return nil, err
	}
	next := make([]*schema.Time, len(of))
	for i := range of {
		next[i] = rules.NextRenewal(of[i].id, renewals[i], func(domain string) bool { return usable[rowKey{of[i].provider, domain}] })
	}
	return next, nil
}

// toRenew holds where certificate c is in force and nothing takes its place: then its renewal is to come. Its argument
// is the time.
var toRenew = "c.phase = 'issued' AND c.expiring_from <> '' AND c.not_after >= ? AND NOT EXISTS (SELECT 1 FROM certificates n WHERE " + newer + ")"

// renewalsBelow returns, for each of the validations, the renewals to come of the CA's certificates for the name and
// for each name below it.
func renewalsBelow(ctx context.Context, db *sql.DB, of []rowKey, now time.Time) ([][]rules.Renewals, error) {
	wanted := make([][4]string, len(of))
	for i := range of {
		reversed := schema.ReverseName(of[i].id)
		from, to := belowName(reversed)
		wanted[i] = [4]string{of[i].provider, reversed, from, to}
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, `WITH of AS MATERIALIZED (SELECT key, value ->> 0 AS provider, value ->> 1 AS name, value ->> 2 AS below, value ->> 3 AS beyond FROM json_each(?))
		SELECT (SELECT json_group_array(json_array(reversed, first)) FROM (SELECT reversed, min(expiring_from) AS first FROM (
			SELECT b.reversed, c.expiring_from FROM names b CROSS JOIN certificates c ON c.provider = b.provider AND c.id = b.id
			WHERE (b.reversed = of.name OR b.reversed >= of.below AND b.reversed < of.beyond) AND b.model = 'certificates' AND b.provider = of.provider
				AND `+toRenew+` LIMIT ?) GROUP BY reversed)) FROM of ORDER BY key`, string(text), schema.At(now).String(), renewalsRead)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	renewals := make([][]rules.Renewals, 0, len(of))
	for found.Next() {
		var text string
		var pairs [][2]string
		if err := found.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &pairs); err != nil {
			return nil, errors.Join(errUnreadable, err)
		}
		list := make([]rules.Renewals, len(pairs))
		for i, p := range pairs {
			list[i].Name = schema.ReverseName(p[0])
			if err := scanTime(p[1], func(t schema.Time) { list[i].From = t }); err != nil {
				return nil, err
			}
		}
		renewals = append(renewals, list)
	}
	return renewals, found.Err()
}

// usableNearer returns which domains have a usable validation of the same CA that is nearer to a name than the one
// asked about.
func usableNearer(ctx context.Context, db *sql.DB, of []rowKey, renewals [][]rules.Renewals, now time.Time) (map[rowKey]bool, error) {
	keys := map[rowKey]bool{}
	for i := range of {
		for _, r := range renewals[i] {
			for domain := range rules.Validating(r.Name) {
				if domain == of[i].id {
					break
				}
				keys[rowKey{of[i].provider, domain}] = false
			}
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	text, err := keysText(slices.Collect(maps.Keys(keys)))
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, `SELECT provider, name, state, validated_at, expires_at FROM json_each(?) CROSS JOIN domains ON provider = value ->> 0 AND name = value ->> 1`, text)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var key rowKey
		var v lifecycle.Validation
		if err := found.Scan(&key.provider, &key.id, &v.State, optionalTime{&v.ValidatedAt}, optionalTime{&v.ExpiresAt}); err != nil {
			return nil, err
		}
		keys[key] = rules.Usable(v.State, rules.LapseOf(v.ValidatedAt, v.ExpiresAt), now)
	}
	return keys, found.Err()
}

// keysText returns keys as a JSON array of pairs.
func keysText(keys []rowKey) (string, error) {
	pairs := make([][2]string, len(keys))
	for i, key := range keys {
		pairs[i] = [2]string{key.provider, key.id}
	}
	text, err := json.Marshal(pairs)
	return string(text), err
}

// renewed fills in what the rules say of the validations at now.
func renewed(ctx context.Context, db *sql.DB, validations []Domain, now time.Time) error {
	if len(validations) == 0 {
		return nil
	}
	of := make([]rowKey, len(validations))
	for i := range validations {
		of[i] = rowKey{validations[i].Provider, validations[i].Name}
	}
	next, err := nextRenewals(ctx, db, of, now)
	if err != nil {
		return err
	}
	for i := range validations {
		validations[i].renewing(next[i], now)
	}
	return nil
}

// renewing fills in when the next renewal of what the validation covers should begin, and what follows.
func (d *Domain) renewing(next *schema.Time, now time.Time) {
	lapse := rules.LapseOf(d.ValidatedAt, d.ExpiresAt)
	d.NextRenewal, d.LapsesFirst = next, rules.Usable(d.State, nil, now) && rules.LapsesFirst(lapse, next, now)
}

// renewals fills in what the rules said of the validations as of the reading's moment, by the certificates that bear
// the name or one below it now, MaxLimit at most, those that end first.
func (r *reading) renewals(ctx context.Context, d *DomainDetail) error {
	for i := range d.Validations {
		v := &d.Validations[i]
		list, err := r.renewalsOf(ctx, v, d.AsOf)
		if err != nil {
			return err
		}
		var failed error
		next := rules.NextRenewal(v.Name, list, func(domain string) bool {
			p, err := r.foldAsOf(ctx, Domains, rowKey{v.Provider, domain})
			if err != nil {
				if !errors.Is(err, ErrNotFound) {
					failed = errors.Join(failed, err)
				}
				return false
			}
			other := p.item.(*Domain)
			return rules.Usable(other.State, rules.LapseOf(other.ValidatedAt, other.ExpiresAt), d.AsOf.Time)
		})
		if failed != nil {
			return failed
		}
		v.renewing(next, d.AsOf.Time)
	}
	return nil
}

// renewalsOf returns the renewals that as of the moment were to come of the CA's certificates for the name of the
// validation and those below it.
func (r *reading) renewalsOf(ctx context.Context, v *Domain, now *schema.Time) (list []rules.Renewals, err error) {
	reversed := schema.ReverseName(v.Name)
	from, to := belowName(reversed)
	keys, err := r.keys(ctx, `SELECT provider, id FROM (SELECT DISTINCT provider AS p, id AS i FROM names WHERE model = 'certificates' AND provider = ? AND
		(reversed = ? OR reversed >= ? AND reversed < ?)) CROSS JOIN certificates ON provider = p AND id = i
		WHERE not_after >= ? ORDER BY not_after, provider, id LIMIT ?`, v.Provider, reversed, from, to, now.String(), MaxLimit)
	if err != nil {
		return nil, err
	}
	var certificates []Certificate
	for _, key := range keys {
		p, err := r.foldAsOf(ctx, Certificates, key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c := p.item.(*Certificate); rules.InForce(c.State) {
			certificates = append(certificates, *c)
		}
	}
	if err := r.succeed(ctx, pointers(certificates)...); err != nil {
		return nil, err
	}
	for i := range certificates {
		c := &certificates[i]
		if c.Successor != nil {
			continue
		}
		for _, name := range append([]string{c.CommonName}, c.DNSNames...) {
			list = append(list, rules.Renewals{Name: name, From: *c.RenewFrom})
		}
	}
	return list, nil
}
