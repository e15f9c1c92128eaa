package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// maxSpans bounds what one picture of expiries is divided into: the days of a year, by weeks from its first to its
// last.
const maxSpans = 53 * 7

// Span begins with From, and ends before Until.
type Span struct{ From, Until time.Time }

// CertificateExpiry counts the certificates, neither revoked nor replaced, by when they end.
type CertificateExpiry struct {
	Providers []string // those that have any certificate, by name
	Spans     [][]int  // for each span asked for, how many end in it, by provider
	Over      []int    // for each limit asked for, how many of those that are valid now are valid for more days
	Valid     int      // how many are valid now
}

// Expiring counts the certificates that end in each span, at most maxSpans of them, and for each limit, in days, how
// many of those that are valid now are valid for longer than that.
func (s *Store) Expiring(ctx context.Context, spans []Span, limits []int, now time.Time) (x CertificateExpiry, err error) {
	db, done, err := s.reader()
	if err != nil {
		return x, err
	}
	defer done(&err)
	if x.Providers, err = providersOf(ctx, db, lifecycle.Certificates); err != nil {
		return x, err
	}
	for _, span := range spans[:min(len(spans), maxSpans)] {
		counts, err := endingIn(ctx, db, span, x.Providers)
		if err != nil {
			return x, err
		}
		x.Spans = append(x.Spans, counts)
	}
	if len(limits) == 0 {
		return x, nil
	}
	x.Valid, x.Over, err = validFor(ctx, db, limits, now)
	return x, err
}

// ending selects the providers and validities of the certificates, neither revoked nor replaced, that end from one time
// on and before another, with how many there are of each: whole days as they have been counted, and what is left at
// either end certificate by certificate. It is shaped for the arguments of span.args.
const ending = `(SELECT provider, validity_days, certificates FROM expiries WHERE day >= ? AND day < ?
	UNION ALL SELECT provider, validity_days, 1 FROM certificates WHERE not_after >= ? AND not_after < ? AND +phase = 'issued'
	UNION ALL SELECT provider, validity_days, 1 FROM certificates WHERE not_after >= ? AND not_after < ? AND +phase = 'issued')`

// args returns the arguments of ending.
func (s Span) args() []any {
	first, last := s.From.UTC().Truncate(day), s.Until.UTC().Truncate(day) // the days that are whole are from first on, and before last
	if first.Before(s.From) {
		first = first.Add(day)
	}
	if last.Before(first) {
		first, last = s.Until, s.Until // of no day is it whole
	}
	text := func(t time.Time) string { return schema.At(t).String() }
	return []any{first.Format(time.DateOnly), last.Format(time.DateOnly), text(s.From), text(first), text(last), text(s.Until)}
}

const day = 24 * time.Hour

// endingIn counts the certificates that end in the span, by provider.
func endingIn(ctx context.Context, db *sql.DB, span Span, providers []string) ([]int, error) {
	counts := make([]int, len(providers))
	found, err := db.QueryContext(ctx, "SELECT provider, sum(certificates) FROM "+ending+" GROUP BY provider", span.args()...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var provider string
		var n int
		if err := found.Scan(&provider, &n); err != nil {
			return nil, err
		}
		if i := slices.Index(providers, provider); i >= 0 { // one that came since they were asked for is shown the next time
			counts[i] = n
		}
	}
	return counts, found.Err()
}

// endOfTime comes later than any certificate ends, even one that says that its end is not known, which is that second
// (RFC 5280 4.1.2.5).
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC)

// validFor counts the certificates that are valid now, and those of them that are valid for more days than each limit.
func validFor(ctx context.Context, db *sql.DB, limits []int, now time.Time) (valid int, over []int, err error) {
	found, err := db.QueryContext(ctx, "SELECT validity_days, sum(certificates) FROM "+ending+" GROUP BY validity_days", Span{now, endOfTime}.args()...)
	if err != nil {
		return 0, nil, err
	}
	defer found.Close()
	over = make([]int, len(limits))
	for found.Next() {
		var days, n int
		if err := found.Scan(&days, &n); err != nil {
			return 0, nil, err
		}
		valid += n
		for i := range limits {
			if days > limits[i] {
				over[i] += n
			}
		}
	}
	return valid, over, found.Err()
}

// Uncollected counts the issued orders of a provider, CountLimit+1 at most, that have no certificate whose end is
// known.
type Uncollected struct {
	Provider string
	Orders   int // more than 0
}

// uncollected counts them for one provider: those whose certificate has not even a number, and those of whose
// certificate no more than that is known. Left to itself SQLite goes through all orders of the provider.
const uncollected = `SELECT count(*) FROM (
	SELECT 1 FROM orders INDEXED BY orders_uncollected WHERE provider = ?1 AND certificate_id = '' AND state IN ('issued', 'reissue_ready')
	UNION ALL SELECT 1 FROM certificates c CROSS JOIN orders o ON o.provider = c.provider AND o.certificate_id = c.id AND o.certificate_id <> ''
		WHERE c.not_after = '' AND c.provider = ?1 AND c.phase = 'issued' AND o.state IN ('issued', 'reissue_ready')
	LIMIT ?2)`

// Uncollected counts the issued orders of which nobody knows when their certificates end, by provider; providers
// without any are left out.
func (s *Store) Uncollected(ctx context.Context) (list []Uncollected, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	providers, err := providersOf(ctx, db, lifecycle.Orders)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		u := Uncollected{Provider: p}
		if err := db.QueryRowContext(ctx, uncollected, p, CountLimit+1).Scan(&u.Orders); err != nil {
			return nil, err
		}
		if u.Orders > 0 {
			list = append(list, u)
		}
	}
	return list, nil
}

// Lapsing counts the domains' validations that end in each span, at most maxSpans of them.
func (s *Store) Lapsing(ctx context.Context, spans []Span) (counts []int, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	bounds := make([][2]string, min(len(spans), maxSpans))
	for i := range bounds {
		bounds[i] = [2]string{schema.At(spans[i].From).String(), schema.At(spans[i].Until).String()}
	}
	text, err := json.Marshal(bounds)
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, `SELECT (SELECT count(*) FROM domains WHERE expires_at >= json_extract(value, '$[0]') AND expires_at < json_extract(value, '$[1]')) FROM json_each(?) ORDER BY key`, string(text))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var n int
		if err := found.Scan(&n); err != nil {
			return nil, err
		}
		counts = append(counts, n)
	}
	return counts, found.Err()
}

// providersOf returns the providers of a table's rows: one look into its key for each of them.
func providersOf(ctx context.Context, db *sql.DB, table string) ([]string, error) {
	found, err := db.QueryContext(ctx, "WITH RECURSIVE one (provider) AS (SELECT min(provider) FROM "+table+
		" UNION ALL SELECT (SELECT min(provider) FROM "+table+" t WHERE t.provider > one.provider) FROM one WHERE one.provider IS NOT NULL) SELECT provider FROM one WHERE provider IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var providers []string
	for found.Next() {
		var p string
		if err := found.Scan(&p); err != nil {
			return nil, err
		}
		providers = append(providers, p)
	}
	return providers, found.Err()
}
