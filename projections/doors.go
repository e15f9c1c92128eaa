package projections

import (
	"context"
	"time"
)

// Orders is a page of a list.
func (s *Store) Orders(ctx context.Context, q Query) ([]Order, string, error) {
	return List(ctx, s, Orders, q)
}

// OrderAt is one row as of a moment.
func (s *Store) OrderAt(ctx context.Context, provider, id string, m Moment) (*Order, error) {
	return One(ctx, s, Orders, provider, id, m)
}

// Certificates is a page of a list.
func (s *Store) Certificates(ctx context.Context, q Query) ([]Certificate, string, error) {
	return List(ctx, s, Certificates, q)
}

// CertificateAt is one row as of a moment.
func (s *Store) CertificateAt(ctx context.Context, provider, id string, m Moment) (*Certificate, error) {
	return One(ctx, s, Certificates, provider, id, m)
}

// Domains is a page of a list.
func (s *Store) Domains(ctx context.Context, q Query) ([]Domain, string, error) {
	return List(ctx, s, Domains, q)
}

// DNSSECs is a page of a list.
func (s *Store) DNSSECs(ctx context.Context, q Query) ([]DNSSEC, string, error) {
	return List(ctx, s, DNSSECs, q)
}

// DNSSECAt is one row as of a moment.
func (s *Store) DNSSECAt(ctx context.Context, provider, id string, m Moment) (*DNSSEC, error) {
	return One(ctx, s, DNSSECs, provider, id, m)
}

// Organizations is a page of a list.
func (s *Store) Organizations(ctx context.Context, q Query) ([]Organization, string, error) {
	return List(ctx, s, Organizations, q)
}

// OrganizationAt is one row as of a moment.
func (s *Store) OrganizationAt(ctx context.Context, provider, id string, m Moment) (*Organization, error) {
	return One(ctx, s, Organizations, provider, id, m)
}

// Websites is a page of a list.
func (s *Store) Websites(ctx context.Context, q Query) ([]Website, string, error) {
	return List(ctx, s, Websites, q)
}

// WebsiteAt is one row as of a moment.
func (s *Store) WebsiteAt(ctx context.Context, provider, id string, m Moment) (*Website, error) {
	return One(ctx, s, Websites, provider, id, m)
}

// Accounts is a page of a list.
func (s *Store) Accounts(ctx context.Context, q Query) ([]Website, string, error) {
	return List(ctx, s, Accounts, q)
}

// Users is a page of a list.
func (s *Store) Users(ctx context.Context, q Query) ([]User, string, error) {
	return List(ctx, s, Users, q)
}

// UserAt is one row as of a moment.
func (s *Store) UserAt(ctx context.Context, provider, id string, m Moment) (*User, error) {
	return One(ctx, s, Users, provider, id, m)
}

// Targets is a page of a list.
func (s *Store) Targets(ctx context.Context, q Query) ([]Target, string, error) {
	return List(ctx, s, Targets, q)
}

// TargetAt is one row as of a moment.
func (s *Store) TargetAt(ctx context.Context, provider, id string, m Moment) (*Target, error) {
	return One(ctx, s, Targets, provider, id, m)
}

// Scans is a page of a list.
func (s *Store) Scans(ctx context.Context, q Query) ([]Scan, string, error) {
	return List(ctx, s, Scans, q)
}

// ScanAt is one row as of a moment.
func (s *Store) ScanAt(ctx context.Context, provider, id string, m Moment) (*Scan, error) {
	return One(ctx, s, Scans, provider, id, m)
}

// Findings is a page of a list.
func (s *Store) Findings(ctx context.Context, q Query) ([]Finding, string, error) {
	return List(ctx, s, Findings, q)
}

// FindingAt is one row as of a moment.
func (s *Store) FindingAt(ctx context.Context, provider, id string, m Moment) (*Finding, error) {
	return One(ctx, s, Findings, provider, id, m)
}

// Order is one row with its timeline.
func (s *Store) Order(ctx context.Context, provider, id string, now time.Time) (*Order, error) {
	return One(ctx, s, Orders, provider, id, Moment{Now: now, RowOnly: true})
}

// Certificate is one row with its timeline.
func (s *Store) Certificate(ctx context.Context, provider, id string, now time.Time) (*Certificate, error) {
	return One(ctx, s, Certificates, provider, id, Moment{Now: now})
}

// DNSSEC is one row with its timeline.
func (s *Store) DNSSEC(ctx context.Context, provider, id string, now time.Time) (*DNSSEC, error) {
	return One(ctx, s, DNSSECs, provider, id, Moment{Now: now, RowOnly: true})
}

// Organization is one row with its timeline.
func (s *Store) Organization(ctx context.Context, provider, id string, now time.Time) (*Organization, error) {
	return One(ctx, s, Organizations, provider, id, Moment{Now: now, RowOnly: true})
}

// Website is one row with its timeline.
func (s *Store) Website(ctx context.Context, provider, id string, now time.Time) (*Website, error) {
	return One(ctx, s, Websites, provider, id, Moment{Now: now, RowOnly: true})
}

// User is one row with its timeline.
func (s *Store) User(ctx context.Context, provider, id string, now time.Time) (*User, error) {
	return One(ctx, s, Users, provider, id, Moment{Now: now, RowOnly: true})
}

// Target is one row with its timeline.
func (s *Store) Target(ctx context.Context, provider, id string, now time.Time) (*Target, error) {
	return One(ctx, s, Targets, provider, id, Moment{Now: now, RowOnly: true})
}

// Scan is one row with its timeline.
func (s *Store) Scan(ctx context.Context, provider, id string, now time.Time) (*Scan, error) {
	return One(ctx, s, Scans, provider, id, Moment{Now: now, RowOnly: true})
}

// Finding is one row with its timeline.
func (s *Store) Finding(ctx context.Context, provider, id string, now time.Time) (*Finding, error) {
	return One(ctx, s, Findings, provider, id, Moment{Now: now, RowOnly: true})
}

// SortsAny are the fields by which the list of a model may be ordered however long it is.
func SortsAny(model string) []string {
	if m := ModelNamed(model); m != nil {
		return m.About().SortsAny()
	}
	return nil
}

// Ends tells whether the list of a model may be chosen by when its rows end.
func Ends(model string) bool {
	m := ModelNamed(model)
	return m != nil && m.About().Ends != ""
}
