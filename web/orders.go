package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func (s *Server) newOrders() *list[projections.Order] {
	type order = projections.Order
	return &list[order]{
		s: s, model: "orders", title: "Orders", exportSort: "id", find: s.Store.Orders,
		empty:  "Every order that a CA reports on appears here as soon as its first delivery arrives: what it waits for, and what comes next.",
		states: []string{"action_required", "pending", "issued", "reissue_ready", "rejected", "canceled", "revoked"},
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Name", Field: "common_name", Class: "name"}, {Title: "Order"},
			{Title: "Waits for"}, {Title: "Next step"}, {Title: "First event", Field: "first_event_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		key: func(o *order) projections.Key {
			return projections.Key{Model: "orders", Provider: o.Provider, ID: o.ID}
		},
		fields: []field[order]{
			{"provider", func(o *order) string { return o.Provider }}, {"id", func(o *order) string { return o.ID }},
			{"state", func(o *order) string { return o.State }}, {"common_name", func(o *order) string { return o.CommonName }},
			{"dns_names", func(o *order) string { return strings.Join(o.DNSNames, " ") }},
			{"certificate_id", func(o *order) string { return o.CertificateID }},
			{"checks", func(o *order) string { return checksText(o) }}, {"next_step", func(o *order) string { return o.NextStep }},
			{"first_event_at", func(o *order) string { return o.FirstEventAt.String() }},
			{"last_event_at", func(o *order) string { return o.LastEventAt.String() }},
			{"last_event_seq", func(o *order) string { return numberText(o.LastEventSeq) }},
			{"event_count", func(o *order) string { return intText(&o.EventCount) }},
		},
	}
}

// checksText is the checks in one cell: "organization=failed phone=passed".
func checksText(o *projections.Order) string {
	var parts []string
	for _, c := range checksOf(*o) {
		parts = append(parts, c.Name+"="+c.State)
	}
	return strings.Join(parts, " ")
}

// orderNames are what the order is for. Before there is a certificate, the domains that the CA checks are all that is known of that.
func orderNames(o projections.Order) nameList {
	names := o.DNSNames
	for _, c := range checksOf(o) {
		if c.Domain != "" && !slices.Contains(o.DNSNames, c.Domain) {
			names = append(slices.Clip(names), c.Domain)
		}
	}
	return namesOf(o.CommonName, names)
}

// orderPage is the data of order.html.
type orderPage struct {
	frame
	Order       *projections.Order
	Names       nameList
	Steps       []step
	Blockers    []check
	Domains     []check
	Certificate []rowView[projections.Certificate] // none or one
	Matters     []deciding
	Timeline    []timelineItem
	Past        past
}

func (s *Server) order(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := pathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Order "+id, "orders")
	m, err := s.moment(r)
	if err != nil {
		return missing(err, "order", provider, id)
	}
	o, err := s.Store.OrderAt(r.Context(), provider, id, m)
	if err != nil {
		return missing(err, "order", provider, id)
	}
	if done, err := jump(w, r, o.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, o.Timeline, o.Then)
	p := orderPage{frame: f, Order: o, Names: orderNames(*o), Steps: stepsOf(o), Past: s.pastOf(r, &f, o.FirstEventAt, o.LastEventAt, o.LastEventSeq, o.EventCount)}
	if p.Names.First != "" {
		p.Title = schema.DisplayName(p.Names.First) + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
	for _, c := range checksOf(*o) {
		if c.State != string(schema.CheckPassed) {
			p.Blockers = append(p.Blockers, c)
		}
	}
	p.Domains = domainsOf(o)
	if p.Matters, err = s.orderMatters(r, &p.frame, o, m); err != nil {
		return err
	}
	if p.Certificate, err = s.orderCertificate(r.Context(), &p.frame, o, m); err != nil {
		return err
	}
	p.Timeline = s.timeline(r, &p.frame, o.Timeline)
	return s.render(w, http.StatusOK, "order", p)
}

// orderCertificate is the row of the last certificate issued, if an event has told of it.
func (s *Server) orderCertificate(ctx context.Context, f *frame, o *projections.Order, m projections.Moment) ([]rowView[projections.Certificate], error) {
	if o.CertificateID == "" {
		return nil, nil
	}
	c, err := s.Store.CertificateAt(ctx, o.Provider, o.CertificateID, m)
	if errors.Is(err, projections.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.certificates.rows(f, []projections.Certificate{*c}), nil
}

// domainsOf are the order's names, each with the state of its check where the CA has told of it.
func domainsOf(o *projections.Order) []check {
	var domains []check
	seen := map[string]bool{}
	for _, c := range checksOf(*o) {
		if c.Domain != "" {
			seen[c.Domain] = true
			domains = append(domains, c)
		}
	}
	for _, name := range append([]string{o.CommonName}, o.DNSNames...) {
		if name != "" && !seen[name] {
			seen[name] = true
			domains = append(domains, check{Domain: name})
		}
	}
	return domains
}

// step is one station of an order's way, as the strip under its title shows it.
type step struct {
	Title string
	Check string // the check that it is; "": none
	State string // passed, failed, delayed, pending, or "" for what has not begun
	Note  string
}

// stepsOf are the stations that this order is known to have: the CA's checks are not the same for every product.
func stepsOf(o *projections.Order) []step {
	steps := []step{{Title: "Ordered", State: string(schema.CheckPassed)}}
	passed, domains, worst := 0, 0, schema.CheckPassed
	for _, c := range checksOf(*o) {
		if c.Domain == "" {
			steps = append(steps, step{Title: checkName(c.Name), Check: c.Name, State: c.State})
			continue
		}
		if domains++; c.State == string(schema.CheckPassed) {
			passed++
		} else if worst != schema.CheckFailed {
			worst = schema.CheckState(c.State)
		}
	}
	if domains > 0 {
		all := max(domains, len(o.DNSNames))
		if passed < all && worst == schema.CheckPassed {
			worst = schema.CheckPending
		}
		steps = append(steps, step{Title: "Domains", State: string(worst), Note: numberText(uint64(passed)) + " of " + numberText(uint64(all))})
	}
	last := step{Title: "Issued"}
	switch o.State {
	case "issued", "reissue_ready":
		last.State = string(schema.CheckPassed)
	case "revoked":
		last = step{Title: "Revoked", State: string(schema.CheckFailed)}
	case "rejected":
		last = step{Title: "Rejected", State: string(schema.CheckFailed)}
	case "canceled":
		last = step{Title: "Canceled", State: "canceled"}
	}
	return append(steps, last)
}
