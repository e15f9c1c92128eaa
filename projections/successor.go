package projections

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// newer is the condition that certificate n takes the place of certificate c: it is for the same set of names, from whichever CA, and was issued
// later (of the same day, as some CAs have it, heard of later). A certificate that was revoked takes nobody's place, and neither does one that two
// providers tell of its own.
const newer = `n.name_set = c.name_set AND n.name_set <> '' AND (n.issued_at, n.first_event_at) > (c.issued_at, c.first_event_at)
	AND n.phase <> 'revoked' AND (n.serial_number = '' OR n.serial_number <> c.serial_number)`

// succeed fills in the successor of each certificate: the newest that takes its place. Of a moment of the past it is the newest that had been heard
// of by then, as it is known now.
func succeed(ctx context.Context, db *sql.DB, by *schema.Time, certificates ...*Certificate) error {
	if len(certificates) == 0 {
		return nil
	}
	known := ""
	args := make([]any, 0, 2*len(certificates)+1)
	found := make(map[CertificateRef]*Certificate, len(certificates))
	for _, c := range certificates {
		found[CertificateRef{c.Provider, c.ID}] = c
		args = append(args, c.Provider, c.ID)
	}
	if by != nil {
		known = " AND n.first_event_at <= ?"
		args = append(args, by.String())
	}
	rows, err := db.QueryContext(ctx, "WITH of (p, i) AS (VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(certificates)-1)+`)
		SELECT c.provider, c.id, s.provider, s.id FROM of CROSS JOIN certificates c ON c.provider = p AND c.id = i
		CROSS JOIN certificates s ON (s.provider, s.id) = (SELECT n.provider, n.id FROM certificates n WHERE `+newer+known+`
			ORDER BY n.issued_at DESC, n.first_event_at DESC, n.provider, n.id LIMIT 1)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var of, successor CertificateRef
		if err := rows.Scan(&of.Provider, &of.ID, &successor.Provider, &successor.ID); err != nil {
			return err
		}
		found[of].Successor = &successor
	}
	return rows.Err()
}

// succeeded is the certificates of a list, with their successors.
func (s *Store) succeeded(ctx context.Context, list []Certificate) (err error) {
	db, done, err := s.reader()
	if err != nil {
		return err
	}
	defer done(&err)
	return succeed(ctx, db, nil, pointers(list)...)
}

func pointers(list []Certificate) []*Certificate {
	p := make([]*Certificate, len(list))
	for i := range list {
		p[i] = &list[i]
	}
	return p
}

// CertificateAt is one certificate as of a moment.
func (s *Store) CertificateAt(ctx context.Context, provider, id string, m Moment) (*Certificate, error) {
	c, err := at(ctx, s, certificateHistory, provider, id, m)
	if err != nil {
		return nil, err
	}
	return c, s.succeedOne(ctx, c)
}

// Certificate is one certificate with its timeline.
func (s *Store) Certificate(ctx context.Context, provider, id string, now time.Time) (*Certificate, error) {
	c, err := one(ctx, s, certificates, provider, id, now, func(c *Certificate, t []TimelineEntry) { c.Timeline = t })
	if err != nil {
		return nil, err
	}
	return c, s.succeedOne(ctx, c)
}

func (s *Store) succeedOne(ctx context.Context, c *Certificate) (err error) {
	db, done, err := s.reader()
	if err != nil {
		return err
	}
	defer done(&err)
	return succeed(ctx, db, c.AsOf, c)
}

// Certificates is a page of the certificates.
func (s *Store) Certificates(ctx context.Context, q Query) ([]Certificate, string, error) {
	items, next, err := page(ctx, s, certificates, q)
	if err != nil {
		return nil, "", err
	}
	return items, next, s.succeeded(ctx, items)
}
