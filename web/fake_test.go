package web_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// fakeStore answers from slices. It filters by provider and state only; what it was asked stands in queries.
type fakeStore struct {
	orders        []projections.Order
	certificates  []projections.Certificate
	domains       []projections.Domain
	dnssecs       []projections.DNSSEC
	organizations []projections.Organization
	websites      []projections.Website
	users         []projections.User
	targets       []projections.Target
	scans         []projections.Scan
	findings      []projections.Finding
	quarantine    []projections.Quarantined
	matters       []projections.Matter
	more          bool // than those matters
	status        []projections.Status
	missing       projections.Missing
	traffic       []projections.Traffic
	uncollected   []projections.Uncollected
	err           error // what every method fails with, except Status
	count         int   // what Count says, if more than none
	noPast        error // what every moment but the present fails with
	changes       chan projections.Change

	mu      sync.Mutex
	queries []projections.Query
	moments []projections.Moment
	after   []uint64 // of Live
}

func (s *fakeStore) asked(q projections.Query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, q)
}

func (s *fakeStore) lastQuery() projections.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries[len(s.queries)-1]
}

// find pages through items; the cursor is the index of the next one.
func find[T any](s *fakeStore, q projections.Query, items []T, of func(*T) (provider, state string)) ([]T, string, error) {
	s.asked(q)
	if s.err != nil {
		return nil, "", s.err
	}
	var found []T
	for i := range items {
		provider, state := of(&items[i])
		if (q.Provider == "" || q.Provider == provider) && (q.State == "" || q.State == state) {
			found = append(found, items[i])
		}
	}
	limit := q.Limit
	if limit == 0 {
		limit = projections.DefaultLimit
	}
	from, _ := strconv.Atoi(q.Cursor)
	to := min(from+limit, len(found))
	next := ""
	if to < len(found) {
		next = strconv.Itoa(to)
	}
	return found[min(from, to):to], next, nil
}

func one[T any](s *fakeStore, items []T, is func(*T) bool) (*T, error) {
	if s.err != nil {
		return nil, s.err
	}
	for i := range items {
		if is(&items[i]) {
			item := items[i]
			return &item, nil
		}
	}
	return nil, projections.ErrNotFound
}

func (s *fakeStore) Orders(_ context.Context, q projections.Query) ([]projections.Order, string, error) {
	return find(s, q, s.orders, func(o *projections.Order) (string, string) { return o.Provider, o.State })
}

func (s *fakeStore) OrderAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Order, error) {
	x, err := one(s, s.orders, func(o *projections.Order) bool { return o.Provider == provider && o.ID == id })
	if err == nil {
		if err = s.cut(m, &x.Timeline, &x.Then); len(x.Later) > 0 {
			x.CertificateID = "" // the last event brought it
		}
	}
	return x, err
}

func (s *fakeStore) Certificates(_ context.Context, q projections.Query) ([]projections.Certificate, string, error) {
	return find(s, q, s.certificates, func(c *projections.Certificate) (string, string) { return c.Provider, c.State })
}

func (s *fakeStore) CertificateAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Certificate, error) {
	x, err := one(s, s.certificates, func(c *projections.Certificate) bool { return c.Provider == provider && c.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Domains(_ context.Context, q projections.Query) ([]projections.Domain, string, error) {
	return find(s, q, s.domains, func(d *projections.Domain) (string, string) { return d.Provider, d.State })
}

func (s *fakeStore) DomainsNamed(_ context.Context, names []string, _ time.Time) ([]projections.Domain, error) {
	var found []projections.Domain
	for _, d := range s.domains {
		if slices.Contains(names, d.Name) {
			found = append(found, d)
		}
	}
	return found, s.err
}

func (s *fakeStore) Named(_ context.Context, name string) (known, below bool, err error) {
	for _, o := range s.orders {
		for _, n := range append(o.DNSNames, o.CommonName) {
			known, below = known || n == name, below || strings.HasSuffix(n, "."+name)
		}
	}
	return known, below, s.err
}

// Expiring counts what the certificates' end says, those that are revoked or replaced too.
func (s *fakeStore) Expiring(_ context.Context, spans []projections.Span, limits []int, _ time.Time) (projections.CertificateExpiry, error) {
	x := projections.CertificateExpiry{Providers: []string{"digicert", "sectigo", "xolphin"}, Over: make([]int, len(limits)), Valid: len(s.certificates)}
	for _, span := range spans {
		counts := make([]int, len(x.Providers))
		for _, c := range s.certificates {
			if c.NotAfter != nil && !c.NotAfter.Before(span.From) && c.NotAfter.Before(span.Until) {
				counts[slices.Index(x.Providers, c.Provider)]++
			}
		}
		x.Spans = append(x.Spans, counts)
	}
	for i := range limits {
		x.Over[i] = i
	}
	return x, s.err
}

func (s *fakeStore) Lapsing(_ context.Context, spans []projections.Span) (counts []int, err error) {
	for _, span := range spans {
		n := 0
		for _, d := range s.domains {
			if d.ExpiresAt != nil && !d.ExpiresAt.Before(span.From) && d.ExpiresAt.Before(span.Until) {
				n++
			}
		}
		counts = append(counts, n)
	}
	return counts, s.err
}

func (s *fakeStore) DomainAt(_ context.Context, name string, m projections.Moment) (*projections.DomainDetail, error) {
	if s.err != nil {
		return nil, s.err
	}
	d := &projections.DomainDetail{Name: name, Validations: []projections.Domain{}, Orders: []projections.Order{}, Certificates: []projections.Certificate{},
		DNSSEC: []projections.DNSSEC{}, Targets: []projections.Target{}, Findings: []projections.Finding{}}
	keep := func(bears bool, timeline *[]projections.TimelineEntry, then *projections.Then) bool {
		if !bears {
			return false
		}
		d.Events = append(d.Events, *timeline...)
		if s.cut(m, timeline, then) != nil {
			return false
		}
		if d.AsOf == nil || then.AsOfSeq > d.AsOfSeq {
			d.Then = projections.Then{AsOfSeq: then.AsOfSeq, AsOf: then.AsOf}
		}
		return true
	}
	for _, v := range s.domains {
		if keep(v.Name == name, &v.Timeline, &v.Then) {
			d.Validations = append(d.Validations, v)
		}
	}
	for _, o := range s.orders {
		if keep(strings.Contains(strings.Join(o.DNSNames, " ")+" "+o.CommonName, name), &o.Timeline, &o.Then) {
			d.Orders = append(d.Orders, o)
		}
	}
	for _, c := range s.certificates {
		if keep(strings.Contains(strings.Join(c.DNSNames, " ")+" "+c.CommonName, name), &c.Timeline, &c.Then) {
			d.Certificates = append(d.Certificates, c)
		}
	}
	for _, r := range s.dnssecs {
		if keep(r.Domain == name, &r.Timeline, &r.Then) {
			d.DNSSEC = append(d.DNSSEC, r)
		}
	}
	for _, x := range s.targets {
		if keep(x.Host == name, &x.Timeline, &x.Then) {
			d.Targets = append(d.Targets, x)
		}
	}
	for _, x := range s.findings {
		if keep(x.Host == name && x.TLS, &x.Timeline, &x.Then) {
			d.Findings = append(d.Findings, x)
		}
	}
	if s.noPast != nil && (m.Seq > 0 || !m.Time.IsZero()) {
		return nil, s.noPast
	}
	if len(d.Validations)+len(d.Orders)+len(d.Certificates)+len(d.DNSSEC)+len(d.Targets)+len(d.Findings) == 0 {
		return nil, projections.ErrNotFound
	}
	slices.SortFunc(d.Events, func(a, b projections.TimelineEntry) int { return cmp.Compare(a.Seq, b.Seq) })
	return d, nil
}

// cut keeps of a row's timeline what is not after m. The row itself stays as it is.
func (s *fakeStore) cut(m projections.Moment, timeline *[]projections.TimelineEntry, then *projections.Then) error {
	s.mu.Lock()
	s.moments = append(s.moments, m)
	s.mu.Unlock()
	if s.noPast != nil && (m.Seq > 0 || !m.Time.IsZero()) {
		return s.noPast
	}
	all := *timeline
	n := len(all)
	clock := schema.At(m.Time)
	switch {
	case m.Seq > 0:
		for n > 0 && all[n-1].Seq > m.Seq {
			n--
		}
		if n > 0 {
			clock = all[n-1].Time
		}
	case !m.Time.IsZero():
		for n > 0 && all[n-1].Time.After(m.Time) {
			n--
		}
	default:
		return nil
	}
	if n == 0 && len(all) > 0 {
		return projections.ErrNotFound
	}
	*timeline, *then = all[:n:n], projections.Then{AsOf: &clock, Later: all[n:]}
	if n > 0 {
		then.AsOfSeq = all[n-1].Seq
	}
	return nil
}

func (s *fakeStore) DNSSECs(_ context.Context, q projections.Query) ([]projections.DNSSEC, string, error) {
	return find(s, q, s.dnssecs, func(d *projections.DNSSEC) (string, string) { return d.Provider, d.State })
}

func (s *fakeStore) DNSSECAt(_ context.Context, provider, id string, m projections.Moment) (*projections.DNSSEC, error) {
	x, err := one(s, s.dnssecs, func(d *projections.DNSSEC) bool { return d.Provider == provider && d.WebsiteID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Organizations(_ context.Context, q projections.Query) ([]projections.Organization, string, error) {
	return find(s, q, s.organizations, func(o *projections.Organization) (string, string) { return o.Provider, o.State })
}

func (s *fakeStore) OrganizationAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Organization, error) {
	x, err := one(s, s.organizations, func(o *projections.Organization) bool { return o.Provider == provider && o.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Websites(_ context.Context, q projections.Query) ([]projections.Website, string, error) {
	return find(s, q, s.websites, func(x *projections.Website) (string, string) { return x.Provider, x.State })
}

func (s *fakeStore) Accounts(context.Context, projections.Query) ([]projections.Website, string, error) {
	return nil, "", nil
}

func (s *fakeStore) WebsiteAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Website, error) {
	x, err := one(s, s.websites, func(x *projections.Website) bool { return x.Provider == provider && x.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Quarantine(_ context.Context, q projections.Query) ([]projections.Quarantined, string, error) {
	return find(s, q, s.quarantine, func(x *projections.Quarantined) (string, string) { return x.Provider, "" })
}

func (s *fakeStore) Count(ctx context.Context, model string, q projections.Query) (int, error) {
	q.Limit, q.Cursor = 1<<30, ""
	n := 0
	var err error
	switch model {
	case "orders":
		items, _, e := s.Orders(ctx, q)
		n, err = len(items), e
	case "certificates":
		n = len(s.certificates)
	case "domains":
		n = len(s.domains)
	case "dnssec":
		n = len(s.dnssecs)
	case "organizations":
		n = len(s.organizations)
	case "websites":
		n = len(s.websites)
	case "users":
		n = len(s.users)
	case "targets":
		n = len(s.targets)
	case "scans":
		n = len(s.scans)
	case "findings":
		n = len(s.findings)
	case "quarantine":
		n = len(s.quarantine)
	default:
		return 0, fmt.Errorf("no model %q", model)
	}
	if s.count > 0 {
		n = s.count
	}
	return n, err
}

func (s *fakeStore) Attention(context.Context, time.Time) (*projections.Attention, error) {
	a := projections.Attention{More: s.more}
	for _, m := range s.matters {
		if m.Decision != nil {
			a.Decided = append(a.Decided, m)
		} else {
			a.Matters = append(a.Matters, m)
		}
	}
	return &a, s.err
}

func (s *fakeStore) MattersOf(_ context.Context, o *projections.Order, _ time.Time) ([]projections.Matter, error) {
	var matters []projections.Matter
	for _, m := range s.matters {
		if m.Provider == o.Provider && m.Row == o.ID {
			matters = append(matters, m)
		}
	}
	return matters, s.err
}

func (s *fakeStore) MatterOf(_ context.Context, provider, row string, of schema.Matter, _ time.Time) (*projections.Matter, error) {
	return one(s, s.matters, func(m *projections.Matter) bool {
		return m.Kind == of.Kind && m.Provider == provider && m.Row == row && m.Part == of.Part && m.When == of.Since
	})
}

func (s *fakeStore) Status(context.Context) ([]projections.Status, projections.Missing, error) {
	return s.status, s.missing, nil
}

func (s *fakeStore) Traffic(context.Context, time.Time) ([]projections.Traffic, error) {
	return s.traffic, s.err
}
