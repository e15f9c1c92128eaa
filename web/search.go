package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
)

// searchLimit bounds the rows of each list that a search shows.
const searchLimit = 5

// matches holds what a search found in one list.
type matches struct {
	Model, Title string
	Count        string
	Heads        []head
	Rows         any    // []rowView of the model
	All          string // the list of all; "" where they stand here
	found        []found
}

// found names a row that a search found.
type found struct{ id, href string }

// searchPage holds the data of search.html.
type searchPage struct {
	frame
	Domain string // the page of the name that was searched for; "": it has none
	Name   string // that name
	Lists  []matches
	Finds  string
}

// search leads to the one thing that q can mean, or shows what it finds in each list.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	if err := answer.NoMoment(r.URL.Query(), "what a search finds"); err != nil {
		return err
	}
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	p := searchPage{frame: s.frame(r.Context(), "Search", ""), Finds: findsNumbers}
	p.Q = q
	if q == "" {
		return s.render(w, http.StatusOK, "search", p)
	}
	if to := s.ownPage(q); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	p.Title = "Search for " + q
	for _, l := range s.lists {
		m, err := l.search(r.Context(), &p.frame, q)
		if err != nil {
			return err
		}
		if len(m.found) > 0 {
			p.Lists = append(p.Lists, m)
		}
	}
	to, err := s.land(r.Context(), q, &p)
	if err != nil {
		return err
	}
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	return s.render(w, http.StatusOK, "search", p)
}

// ownPage returns the page of ours whose address was pasted, with or without its scheme; "" where it is another's, or
// names no page.
func (s *Server) ownPage(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	u, err := url.Parse("//" + address)
	if err != nil || !s.hosts[hostName(u.Host)] || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return backTo(u.RequestURI())
}

// land returns the page of the one thing that q means: a domain's if there is one and nothing below its name, the only
// row found, or the only one whose own number it is, since an order's number also finds its certificates. It returns ""
// where q can mean several.
func (s *Server) land(ctx context.Context, q string, p *searchPage) (string, error) {
	sought := projections.SoughtBy(q)
	if name := sought.Name; name != "" {
		known, below, err := s.Store.Named(ctx, name)
		if err != nil {
			return "", err
		}
		if known {
			p.Domain, p.Name = address.Row(projections.Key{Model: "domains", ID: name}), schema.DisplayName(name)
		}
		if known && !below {
			return p.Domain, nil
		}
	}
	var all, exact []string
	numbers := []string{sought.Text, sought.ID, sought.Last}
	for _, m := range p.Lists {
		for _, f := range m.found {
			if all = append(all, f.href); m.Model != "domains" && slices.Contains(numbers, f.id) {
				exact = append(exact, f.href)
			}
		}
	}
	switch {
	case len(all) == 1 && all[0] != "":
		return all[0], nil
	case len(exact) == 1:
		return exact[0], nil
	}
	return "", nil
}

// search returns what q finds in the list.
func (l *list[T]) search(ctx context.Context, f *frame, q string) (matches, error) {
	if l.Fixed || l.Spec.Persons {
		return matches{}, nil
	}
	query := projections.Query{Q: q, Limit: searchLimit, Now: f.Now}
	items, next, err := l.Find(ctx, query)
	if err != nil || len(items) == 0 {
		return matches{}, err
	}
	rows, err := l.lines(ctx, f, items)
	if err != nil {
		return matches{}, err
	}
	m := matches{Model: l.Spec.Name, Title: l.Spec.Title, Count: words.Number(len(items)), Rows: rows, Heads: sectionOf(l, f, nil).Heads}
	for i := range items {
		k := l.key(&items[i])
		m.found = append(m.found, found{k.ID, address.Row(k)})
	}
	if next != "" {
		query.Limit = 0
		n, err := l.s.Store.Count(ctx, l.Spec.Name, query)
		if err != nil {
			return m, err
		}
		m.Count, m.All = countText(n), address.With(l.Spec.Name, nil, "q", q)
	}
	return m, nil
}
