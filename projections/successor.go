package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// newer holds where certificate n takes the place of certificate c: it is for the same set of names, from whichever CA,
// and was issued later (of the same day, as some CAs have it, heard of later). A certificate that was revoked takes
// nobody's place, and neither does one that two providers tell of its own.
const newer = `n.name_set = c.name_set AND n.name_set <> '' AND (n.issued_at, n.first_event_at) > (c.issued_at, c.first_event_at)
	AND n.phase <> 'revoked' AND (n.serial_number = '' OR n.serial_number <> c.serial_number)`

// contendersLimit bounds how many certificates for one set of names are folded, the newest, to find who had taken whose
// place as of a moment.
const contendersLimit = 50

// succeed fills in the successor of each certificate: the newest that takes its place.
func succeed(ctx context.Context, db *sql.DB, certificates ...*Certificate) error {
	if len(certificates) == 0 {
		return nil
	}
	return succeedAmong(ctx, db, "", nil, certificates)
}

// succeedAmong does as succeed, where with, a common table expression, can put others in the place of the certificates
// that the file has.
func succeedAmong(ctx context.Context, db *sql.DB, with string, args []any, certificates []*Certificate) error {
	found := make(map[rowKey]*Certificate, len(certificates))
	for _, c := range certificates {
		found[rowKey{c.Provider, c.ID}] = c
		args = append(args, c.Provider, c.ID)
	}
	rows, err := db.QueryContext(ctx, "WITH "+with+"of (p, i) AS (VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(certificates)-1)+`)
		SELECT c.provider, c.id, s.provider, s.id FROM of CROSS JOIN certificates c ON c.provider = p AND c.id = i
		CROSS JOIN certificates s ON (s.provider, s.id) = (SELECT n.provider, n.id FROM certificates n WHERE `+newer+`
			ORDER BY n.issued_at DESC, n.first_event_at DESC, n.provider, n.id LIMIT 1)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var of rowKey
		var successor CertificateRef
		if err := rows.Scan(&of.provider, &of.id, &successor.Provider, &successor.ID); err != nil {
			return err
		}
		c := found[of]
		if c == nil {
			return fmt.Errorf("%w: a certificate that was not asked for", errUnreadable)
		}
		c.Successor = &successor
	}
	return rows.Err()
}

// succeed fills in the successor that each certificate had as of the reading's moment, of those that are for its names
// now too.
func (r *reading) succeed(ctx context.Context, certificates ...*Certificate) error {
	if r.m.present() {
		return succeed(ctx, r.db, certificates...)
	}
	sets := map[string][]*Certificate{}
	for _, c := range certificates {
		state, err := r.certificate(ctx, rowKey{c.Provider, c.ID})
		if err != nil {
			return err
		}
		if set := state.NameSet(); set != "" {
			sets[set] = append(sets[set], c)
		}
	}
	for set, of := range sets {
		contenders, err := r.contenders(ctx, set, of)
		if err != nil {
			return err
		}
		const with = `certificates (provider, id, name_set, issued_at, first_event_at, phase, serial_number) AS MATERIALIZED (
			SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)), `
		if err := succeedAmong(ctx, r.db, with, []any{contenders}, of); err != nil {
			return err
		}
	}
	return nil
}

// contenders returns the certificates of and those that are for the set of names now, as of the moment: a JSON array of
// rows. One that cannot be folded, because the log has lost an event of it, takes nobody's place.
func (r *reading) contenders(ctx context.Context, set string, of []*Certificate) (string, error) {
	known, bound := r.known()
	keys, err := r.keys(ctx, "SELECT provider, id FROM certificates n WHERE name_set = ? AND name_set <> '' AND "+known+
		" ORDER BY issued_at DESC, first_event_at DESC, provider, id LIMIT ?", set, bound, contendersLimit)
	if err != nil {
		return "", err
	}
	for _, c := range of {
		if key := (rowKey{c.Provider, c.ID}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	var rows [][]string
	for _, key := range keys {
		c, err := r.certificate(ctx, key)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoPast) || errors.Is(err, ErrNoLog) {
			continue
		}
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{key.provider, key.id, c.NameSet(), c.IssuedAt().String(), c.FirstEventAt.String(), c.Phase, c.Cert.SerialNumber})
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

// known returns the condition that certificate n had been heard of by the moment, and its argument.
func (r *reading) known() (condition string, bound any) {
	switch {
	case r.m.present():
		return "?", true
	case r.m.Time.IsZero():
		return "EXISTS (SELECT 1 FROM timeline t WHERE t.model = 'certificates' AND t.provider = n.provider AND t.id = n.id AND t.seq <= ?)", r.m.Seq
	}
	return "n.first_event_at <= ?", schema.At(r.m.Time).String()
}

// certificate returns one certificate's state as of the moment.
func (r *reading) certificate(ctx context.Context, key rowKey) (*lifecycle.Certificate, error) {
	if c := r.certificates[key]; c != nil {
		return c, nil
	}
	p, err := r.foldAsOf(ctx, Certificates, key)
	if err != nil {
		return nil, err
	}
	if r.certificates == nil {
		r.certificates = map[rowKey]*lifecycle.Certificate{}
	}
	r.certificates[key] = p.state.(*lifecycle.Certificate)
	return r.certificates[key], nil
}

// succeeded fills in the successors of a list's certificates.
func (s *Store) succeeded(ctx context.Context, list []Certificate) (err error) {
	db, done, err := s.reader()
	if err != nil {
		return err
	}
	defer done(&err)
	return succeed(ctx, db, pointers(list)...)
}

func pointers(list []Certificate) []*Certificate {
	p := make([]*Certificate, len(list))
	for i := range list {
		p[i] = &list[i]
	}
	return p
}

// certificatesAmong returns the certificates among a list's items, which are all of one kind.
func certificatesAmong(items []any) []*Certificate {
	var found []*Certificate
	for _, item := range items {
		c, ok := item.(*Certificate)
		if !ok {
			return nil
		}
		found = append(found, c)
	}
	return found
}

// Fates returns the fates of the certificates that have one at now.
func (s *Store) Fates(ctx context.Context, of []CertificateRef, now time.Time) (found map[CertificateRef]Fate, err error) {
	found = map[CertificateRef]Fate{}
	if len(of) == 0 {
		return found, nil
	}
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	const announced = "announced AND (not_after = '' OR not_after >= ?)"
	at := schema.At(now).String()
	args := make([]any, 0, 2*len(of)+3)
	for _, c := range of {
		args = append(args, c.Provider, c.ID)
	}
	rows, err := db.QueryContext(ctx, "WITH of (p, i) AS (VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(of)-1)+`)
		SELECT provider, id, `+announced+` FROM of CROSS JOIN certificates ON provider = p AND id = i
		WHERE phase = 'issued' AND (`+announced+` OR expiring_from <> '' AND expiring_from <= ? AND `+unsucceeded+")", append(args, at, at, at)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c CertificateRef
		var revoked bool
		if err := rows.Scan(&c.Provider, &c.ID, &revoked); err != nil {
			return nil, err
		}
		if found[c] = ToBeRenewed; revoked {
			found[c] = ToBeRevoked
		}
	}
	return found, rows.Err()
}
