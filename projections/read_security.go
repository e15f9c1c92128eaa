package projections

import (
	"context"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Users is a page of the users. A search finds them by their id, username, e-mail address or name.
func (s *Store) Users(ctx context.Context, q Query) ([]User, string, error) {
	return page(ctx, s, users, q)
}

// Targets is a page of the targets. A search finds them by id, name, or host and all hosts below it.
func (s *Store) Targets(ctx context.Context, q Query) ([]Target, string, error) {
	return page(ctx, s, targets, q)
}

// Scans is a page of the scans. A search finds them also by their target's id.
func (s *Store) Scans(ctx context.Context, q Query) ([]Scan, string, error) {
	return page(ctx, s, scans, q)
}

// Findings is a page of the findings. A search finds them also by their target's id.
func (s *Store) Findings(ctx context.Context, q Query) ([]Finding, string, error) {
	return page(ctx, s, findings, q)
}

var (
	userHistory    = history[lifecycle.User, User]{users, lifecycle.User.Changes}
	targetHistory  = history[lifecycle.Target, Target]{targets, lifecycle.Target.Changes}
	scanHistory    = history[lifecycle.Scan, Scan]{scans, lifecycle.Scan.Changes}
	findingHistory = history[lifecycle.Finding, Finding]{findings, lifecycle.Finding.Changes}
)

// User is one user with their timeline; ErrNotFound if no event concerns them. Likewise the others.
func (s *Store) User(ctx context.Context, provider, id string, now time.Time) (*User, error) {
	return one(ctx, s, users, provider, id, now)
}

// Target is one target with its timeline.
func (s *Store) Target(ctx context.Context, provider, id string, now time.Time) (*Target, error) {
	return one(ctx, s, targets, provider, id, now)
}

// Scan is one scan with its timeline.
func (s *Store) Scan(ctx context.Context, provider, id string, now time.Time) (*Scan, error) {
	return one(ctx, s, scans, provider, id, now)
}

// Finding is one finding with its timeline.
func (s *Store) Finding(ctx context.Context, provider, id string, now time.Time) (*Finding, error) {
	return one(ctx, s, findings, provider, id, now)
}

// UserAt is one user as of a moment, as OrderAt is an order.
func (s *Store) UserAt(ctx context.Context, provider, id string, m Moment) (*User, error) {
	return at(ctx, s, userHistory, provider, id, m)
}

// TargetAt is one target as of a moment.
func (s *Store) TargetAt(ctx context.Context, provider, id string, m Moment) (*Target, error) {
	return at(ctx, s, targetHistory, provider, id, m)
}

// ScanAt is one scan as of a moment.
func (s *Store) ScanAt(ctx context.Context, provider, id string, m Moment) (*Scan, error) {
	return at(ctx, s, scanHistory, provider, id, m)
}

// FindingAt is one finding as of a moment.
func (s *Store) FindingAt(ctx context.Context, provider, id string, m Moment) (*Finding, error) {
	return at(ctx, s, findingHistory, provider, id, m)
}

// tlsFindings is the findings as a list of only those about TLS.
var tlsFindings = func() *table[lifecycle.Finding, Finding] {
	t := *findings
	t.only = "tls"
	return &t
}()

// tlsFindingsOn are the findings about TLS on the host of that name, also those that only say of which target they are.
func (s *Store) tlsFindingsOn(ctx context.Context, name string, onIt []Target, now time.Time, truncated *[]string) ([]Finding, error) {
	return selected(ctx, s, tlsFindings, now, truncated, func(w *where) {
		terms := []string{"(provider, id) IN (SELECT provider, id FROM names WHERE model = 'findings' AND reversed = ?)"}
		args := []any{schema.ReverseName(name)}
		for _, t := range onIt {
			terms = append(terms, "provider = ? AND target_id = ? AND "+findingHost+" = ''")
			args = append(args, t.Provider, t.ID)
		}
		w.add("("+strings.Join(terms, ") OR (")+")", args...)
	})
}
