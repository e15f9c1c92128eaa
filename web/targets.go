package web

import (
	"cmp"
	"context"
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
)

func (s *Server) newTargets() *list[projections.Target] {
	return newList(s, projections.Targets, list[projections.Target]{
		empty: "Every host that a scanner watches appears here, and whether the scanner could verify that the host is yours.",
		finds: "a target by its number or name as a whole, or by its host and all hosts below a domain",
		hint:  "host, number, name",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Host", Field: "host", Class: "name"}, {Title: "Name", Field: "name"}, {Title: "ID"},
			{Title: "Verified", Field: "verified_at", Down: true, Class: "time"}, {Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.target,
	})
}

// targetPage holds the data of target.html.
type targetPage struct {
	*rowPage[projections.Target]
	Host            hostLink
	Findings, Scans related
}

// related holds the newest rows of another list that belong to a row, and where the others are.
type related struct {
	Heads []head
	Rows  any // []rowView of the other model
	All   string
	More  bool // there are others
}

// relatedLimit bounds how many of them a page shows.
const relatedLimit = 20

func (s *Server) target(w http.ResponseWriter, r *http.Request) error {
	p, err := readRow(s, w, r, projections.Targets)
	if p == nil {
		return err
	}
	page := targetPage{rowPage: p, Host: hostLinkOf(p.Row.Host, true, &p.frame)}
	p.name(cmp.Or(schema.DisplayName(p.Row.Host), p.Row.Name))
	if !p.Standing.Past && p.Row.ID != "" { // which rows were its own then is told by no list
		page.Findings, err = relatedOf(r.Context(), listOf(s, projections.Findings), &p.frame, p.Row.Provider, p.Row.ID)
		if err == nil {
			page.Scans, err = relatedOf(r.Context(), listOf(s, projections.Scans), &p.frame, p.Row.Provider, p.Row.ID)
		}
		if err != nil {
			return err
		}
	}
	return s.render(w, http.StatusOK, "target", page)
}

// hostLink names a host, and links to the page of the domain of that name; "" where it has none.
type hostLink struct{ Host, Href string }

func hostLinkOf(host string, known bool, f *frame) hostLink {
	name, err := schema.DomainName(host)
	if err != nil || !known {
		return hostLink{Host: host}
	}
	return hostLink{host, address.Row(projections.Key{Model: "domains", ID: name}) + f.At()}
}

// targetOf returns the target that a scan or a finding is of; nil where nothing but that has been told of it.
func (s *Server) targetOf(ctx context.Context, f *frame, provider, id string) (*projections.Target, error) {
	if id == "" {
		return nil, nil
	}
	found, _, err := projections.List(ctx, s.Store, projections.Targets, projections.Query{Q: id, Provider: provider, Now: f.Now})
	for i := range found {
		if found[i].ID == id && found[i].Provider == provider {
			return &found[i], err
		}
	}
	return nil, err
}

func relatedOf[T any](ctx context.Context, l *list[T], f *frame, provider, id string) (related, error) {
	items, next, err := l.Find(ctx, projections.Query{Q: id, Provider: provider, Limit: relatedLimit, Now: f.Now})
	if err != nil || len(items) == 0 {
		return related{}, err
	}
	sec := sectionOf(l, f, items)
	return related{sec.Heads, sec.Rows, address.With(l.Spec.Name, nil, "q", id, "provider", provider), next != ""}, nil
}
