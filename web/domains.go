package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
)

func (s *Server) newDomains() *list[projections.Domain] {
	return newList(s, projections.Domains, list[projections.Domain]{
		empty: "Every domain name that a CA has validated appears here, with the day until which the validation may be reused.",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Domain", Field: "name", Class: "name"},
			{Title: "Reusable until, by CA", Field: "expires_at"}, {Title: "Validated", Field: "validated_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		join:  s.byName,
		row:   s.domain,
		named: s.apiDomain,
	})
}

// byName puts what other CAs say of a name beside the first row of that name, whether the list would show it here,
// elsewhere or not at all.
func (s *Server) byName(ctx context.Context, f *frame, rows []rowView[projections.Domain]) ([]rowView[projections.Domain], error) {
	var names []string
	var lines []rowView[projections.Domain]
	first := map[string]int{}
	for _, row := range rows {
		if _, ok := first[row.Item.Name]; !ok {
			first[row.Item.Name] = len(lines)
			names, lines = append(names, row.Item.Name), append(lines, row)
		}
	}
	if len(lines) == 0 {
		return lines, nil
	}
	all, err := s.Store.DomainsNamed(ctx, names, f.Now)
	if err != nil {
		return nil, err
	}
	for _, row := range listOf(s, projections.Domains).rows(f, all) {
		i, ok := first[row.Item.Name]
		if ok && row.Item.Provider != lines[i].Item.Provider {
			lines[i].Beside = append(lines[i].Beside, row)
		}
	}
	return lines, nil
}

// domainPage holds the data of domain.html.
type domainPage struct {
	frame
	Name         string
	Display      string // in the letters it stands for; the same as Name where it has only ASCII
	Validations  []validation
	Orders       section[projections.Order]
	Certificates section[projections.Certificate]
	DNSSEC       section[projections.DNSSEC]
	Targets      section[projections.Target]
	Findings     section[projections.Finding]
	API          string
	Refused      []*delegationView // its zones that CAs refuse
}

// section shows a list's rows inside another page.
type section[T any] struct {
	Heads []head
	Rows  []rowView[T]
	Count string // of all there are
	All   string // the list that has the rest, if these are not all
}

func sectionOf[T any](l *list[T], f *frame, items []T) section[T] {
	heads := make([]head, len(l.columns))
	for i, c := range l.columns {
		heads[i] = head{column: c}
	}
	return section[T]{Heads: heads, Rows: l.rows(f, items), Count: words.Number(len(items))}
}

// foremost shows the first rows of what bears the name, with the way to the rest. A name that is renewed every few
// weeks has hundreds.
func foremost[T any](l *list[T], f *frame, items []T, d *projections.DomainDetail) section[T] {
	sec := sectionOf(l, f, items[:min(len(items), relatedLimit)])
	sec.Count = words.Number(len(items))
	more := slices.Contains(d.Truncated, l.Spec.Name)
	if more {
		sec.Count += "+"
	}
	if more || len(items) > relatedLimit {
		sec.All = address.With(l.Spec.Name, nil, "q", d.Name)
	}
	return sec
}

// validation shows one provider's word on the name, and how it came to say so.
type validation struct {
	rowView[projections.Domain]
	Timeline timelineView
	Lapses   string // that it lapses before the next renewal, a sentence
}

func (s *Server) domain(w http.ResponseWriter, r *http.Request) error {
	f := s.frame(r.Context(), "", "domains")
	d, m, err := s.findDomain(r)
	if err != nil {
		return err
	}
	if done, err := jump(w, r, d.Events); done || err != nil {
		return err
	}
	f.Title = schema.DisplayName(d.Name)
	told, then := d.Events, d.Then
	if then.AsOf != nil {
		n, _ := slices.BinarySearchFunc(d.Events, then.AsOfSeq+1, func(e projections.TimelineEntry, seq uint64) int { return cmp.Compare(e.Seq, seq) })
		told, then.Later = slices.Clone(d.Events[:n]), d.Events[n:]
		for i := range d.Validations { // what the last event changed of the name itself
			if t := d.Validations[i].Timeline; n > 0 && len(t) > 0 && t[len(t)-1].Seq == told[n-1].Seq {
				told[n-1].Changes = t[len(t)-1].Changes
			}
		}
	}
	s.stand(&f, r, m, told, then)
	p := domainPage{frame: f, Name: d.Name, Display: schema.DisplayName(d.Name), API: apiPrefix + r.URL.EscapedPath() + f.At()}
	for i, row := range listOf(s, projections.Domains).rows(&p.frame, d.Validations) {
		v := &d.Validations[i]
		p.Validations = append(p.Validations, validation{row, s.timeline(r, &p.frame, v.Timeline), lapsesFirst(v, p.Now)})
	}
	noteFates(d)
	p.Orders = foremost(listOf(s, projections.Orders), &p.frame, d.Orders, d)
	if then.AsOf == nil { // also of certificates whose names are not known
		if p.Orders.Rows, err = s.fated(r.Context(), &p.frame, p.Orders.Rows); err != nil {
			return err
		}
	}
	p.Certificates = foremost(listOf(s, projections.Certificates), &p.frame, d.Certificates, d)
	if then.AsOf == nil {
		p.Refused = s.refusedZones(d.DNSSEC, p.Now)
	}
	p.DNSSEC = sectionOf(listOf(s, projections.DNSSECs), &p.frame, d.DNSSEC)
	p.Targets = sectionOf(listOf(s, projections.Targets), &p.frame, d.Targets)
	p.Findings = foremost(listOf(s, projections.Findings), &p.frame, d.Findings, d)
	return s.render(w, http.StatusOK, "domain", p)
}

// findDomain takes the name in any spelling: upper case, Unicode, with a final dot.
func (s *Server) findDomain(r *http.Request) (*projections.DomainDetail, projections.Moment, error) {
	given, err := answer.PathVar(r, "name")
	if err != nil {
		return nil, projections.Moment{}, err
	}
	name, err := schema.DomainName(given)
	if err != nil {
		return nil, projections.Moment{}, fmt.Errorf("%w: %v", projections.ErrNotFound, err)
	}
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return nil, m, err
	}
	d, err := s.Store.DomainAt(r.Context(), name, m)
	if err != nil {
		return nil, m, fmt.Errorf("domain %s: %w", name, err)
	}
	return d, m, nil
}
