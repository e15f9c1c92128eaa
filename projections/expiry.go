package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// maxSpans bounds what one picture of expiries is divided into: the days of a year, by weeks from its first to its last.
const maxSpans = 53 * 7

// Span is from From on, and before Until.
type Span struct{ From, Until time.Time }

// CertificateExpiry is how many certificates, neither revoked nor replaced, end when.
type CertificateExpiry struct {
	Providers []string // those that have any certificate, by name
	Spans     [][]int  // for each span asked for, how many end in it, by provider
	Over      []int    // for each limit asked for, how many of those that are valid now are valid for more days
	Valid     int      // how many are valid now
}

// Expiring counts the certificates that end in each span, at most maxSpans of them, and for each limit, in days, how many of those that are valid now are
// valid for longer than that.
func (s *Store) Expiring(ctx context.Context, spans []Span, limits []int, now time.Time) (x CertificateExpiry, err error) {
	db, done, err := s.reader()
	if err != nil {
		return x, err
	}
	defer done(&err)
	if x.Providers, err = providersOf(ctx, db, lifecycle.Certificates); err != nil {
		return x, err
	}
	// One sum for each provider instead of groups, because the index is then read once, in its order, and nothing is sorted.
	sums, args := make([]string, len(x.Providers)), make([]any, 0, len(x.Providers)+2)
	for i, p := range x.Providers {
		sums[i] = ", sum(provider = ?)"
		args = append(args, p)
	}
	inSpan, err := db.PrepareContext(ctx, "SELECT count(*)"+strings.Join(sums, "")+" FROM certificates WHERE not_after >= ? AND not_after < ? AND +phase = 'issued'")
	if err != nil {
		return x, err
	}
	defer inSpan.Close()
	for _, span := range spans[:min(len(spans), maxSpans)] {
		if x.Spans, err = appendCounts(ctx, x.Spans, inSpan, len(x.Providers), append(args, schema.At(span.From).String(), schema.At(span.Until).String())...); err != nil {
			return x, err
		}
	}
	if len(limits) == 0 {
		return x, nil
	}
	x.Valid, x.Over, err = validFor(ctx, db, limits, now)
	return x, err
}

// appendCounts appends the counts that the statement answers after the number of all rows; they are nil where there are none.
func appendCounts(ctx context.Context, to [][]int, s *sql.Stmt, n int, args ...any) ([][]int, error) {
	var all int
	found := make([]sql.NullInt64, n)
	dest := []any{&all}
	for i := range found {
		dest = append(dest, &found[i])
	}
	if err := s.QueryRowContext(ctx, args...).Scan(dest...); err != nil {
		return to, err
	}
	counts := make([]int, n)
	for i := range found {
		counts[i] = int(found[i].Int64)
	}
	return append(to, counts), nil
}

// validFor counts the certificates that are valid now, and those of them that are valid for more days than each limit.
func validFor(ctx context.Context, db *sql.DB, limits []int, now time.Time) (valid int, over []int, err error) {
	sums, args := "", []any{}
	over = make([]int, len(limits))
	dest := []any{&valid}
	for i, days := range limits {
		sums += ", coalesce(sum(validity_days > ?), 0)"
		args = append(args, days)
		dest = append(dest, &over[i])
	}
	err = db.QueryRowContext(ctx, "SELECT count(*)"+sums+" FROM certificates WHERE not_after >= ? AND +phase = 'issued'", append(args, schema.At(now).String())...).Scan(dest...)
	return valid, over, err
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

// providersOf are the providers of a table's rows: one look into its key for each of them.
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
