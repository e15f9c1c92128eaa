package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/api"
	"github.com/certtrail/certtrail/web/view"
)

// list shows one read model: the same list, downloads and API for each, told apart by what stands here. Its templates
// are <model>-row and, where the model has rows worth opening, the page that href names.
type list[T any] struct {
	api.List[T]
	s       *Server
	model   projections.Model // nil: of the quarantine, whose events are in no row
	empty   string            // what would appear here
	finds   string            // what a search finds; "": findsNumbers
	hint    string            // what a search is asked for; "": hintNumbers
	columns []column
	key     func(*T) projections.Key
	join    func(context.Context, *frame, []rowView[T]) ([]rowView[T], error) // puts rows beside one another; nil: each stands alone
	row     answer.Handler                                                    // the page of one row; nil: it has none
	named   answer.Handler                                                    // the API's answer, where a row's address has no provider; nil: it has
}

// newList completes the list of a read model.
func newList[S, T any](s *Server, t *projections.Table[S, T], l list[T]) *list[T] {
	l.s, l.model = s, t
	l.Spec, l.Now, l.Logger = t.About(), s.Now, s.Logger
	l.Find = func(ctx context.Context, q projections.Query) ([]T, string, error) {
		return projections.List(ctx, s.Store, t, q)
	}
	l.key = func(item *T) projections.Key { return projections.RowOf(item).Key }
	return &l
}

// listOf returns the list of a read model.
func listOf[S, T any](s *Server, t *projections.Table[S, T]) *list[T] {
	for _, l := range s.lists {
		if of, ok := l.(*list[T]); ok && of.Spec.Name == t.Name {
			return of
		}
	}
	panic("web: " + t.Name + " has no list") // makeLists has it
}

// What most lists can be searched for.
const (
	findsNumbers = "a whole order, certificate or serial number, or a domain and all names below it"
	hintNumbers  = "domain, number, serial"
)

// column describes the head of one column. One with a field can be sorted by it.
type column struct {
	Title string
	Field string
	Class string
	Down  bool // the first click sorts descending: newest, most
}

// shown stands for any list, whatever its rows are made of.
type shown interface {
	routes() []route
	search(ctx context.Context, f *frame, q string) (m matches, err error) // nothing, where /search does not look
}

// routes returns the routes of the list, and of its rows where they have pages.
func (l *list[T]) routes() []route {
	const get = http.MethodGet
	name := l.Spec.Name
	routes := []route{
		{get, "/" + name, anyone, l.s.page(l.page)},
		{get, "/" + name + ".csv", anyone, l.s.api(l.CSV)},
		{get, "/" + name + ".json", anyone, l.s.api(l.JSON)},
		{get, apiPrefix + "/" + name, anyone, l.s.api(answer.Knowing(l.API, l.Parameters()...))},
	}
	if l.row == nil {
		return routes
	}
	path, one := "/"+name+"/{provider}/{"+l.Spec.Key+"}", l.apiRow
	if l.named != nil {
		path, one = "/"+name+"/{"+l.Spec.Key+"}", l.named
	}
	return append(routes,
		route{get, path, anyone, l.s.page(l.row)},
		route{get, apiPrefix + path, anyone, l.s.api(answer.Knowing(one, "at_seq", "at"))})
}

// apiRow answers the API for one row.
func (l *list[T]) apiRow(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, l.Spec.Key)
	if err != nil {
		return err
	}
	m, err := answer.ReadMoment(r, l.s.Now())
	if err != nil {
		return l.s.missing(err, l.Spec.Noun, provider, id)
	}
	item, err := l.s.Store.Row(r.Context(), l.model, provider, id, m)
	if err != nil {
		return l.s.missing(err, l.Spec.Noun, provider, id)
	}
	summarize(item)
	return answer.JSON(w, http.StatusOK, item)
}

// rowView holds the data of a row's template.
type rowView[T any] struct {
	Item   T
	Key    string // as /live names it
	Href   string // "" where it has no page
	Source string // the provider's title
	Now    time.Time
	Beside []rowView[T] // rows that stand in the same line: what other providers say of the same
}

func (l *list[T]) rows(f *frame, items []T) []rowView[T] {
	rows := make([]rowView[T], len(items))
	for i := range items {
		k := l.key(&items[i])
		rows[i] = rowView[T]{Item: items[i], Key: address.RowKey(k), Href: address.Row(k) + f.At(), Source: f.Source(k.Provider), Now: f.Now}
		if k.Model == "quarantine" && !f.HasLog {
			rows[i].Href = ""
		}
	}
	return rows
}

// lines returns the rows as the list's page shows them.
func (l *list[T]) lines(ctx context.Context, f *frame, items []T) ([]rowView[T], error) {
	rows := l.rows(f, items)
	if l.join == nil {
		return rows, nil
	}
	return l.join(ctx, f, rows)
}

// listPage holds the data of list.html.
type listPage[T any] struct {
	frame
	Heading   string
	Empty     string
	Finds     string
	Fill      fillers
	Count     string
	Heads     []head
	Rows      []rowView[T]
	Filter    filter
	Chips     []link
	Elsewhere []link // the same search in the other lists
	Next      string // "" on the last page
	First     string // "" on the first page
	CSV, JSON string
}

type link struct{ Text, Href string }

// head shows a column's head on this page.
type head struct {
	column
	Href string // sorts by it; "" where that cannot be
	Sort string // aria-sort: ascending, descending or none
}

// filter fills the form above the table.
type filter struct {
	Action    string
	Query     projections.Query
	States    []string
	Providers []Provider
	Kept      []kept // what the form does not ask for, and must not lose
	Search    bool
	Hint      string
}

// kept holds a parameter that a form hands on.
type kept struct{ Name, Value string }

// keptOf returns the parameters of a list that its form has no field for.
func keptOf(values url.Values) []kept {
	var all []kept
	for _, name := range []string{"sort", address.ExpiresFrom, address.ExpiresUntil, "limit"} {
		if v := values.Get(name); v != "" {
			all = append(all, kept{name, v})
		}
	}
	return all
}

// pageRows sets the number of rows on a page that is not asked for another: it weighs well under 100 KB.
const pageRows = 60

func (l *list[T]) page(w http.ResponseWriter, r *http.Request) error {
	q, err := l.Query(r)
	if err != nil {
		return err
	}
	q.Limit = cmp.Or(q.Limit, pageRows)
	f := l.s.frame(r.Context(), l.Spec.Title, l.Spec.Name)
	items, next, err := l.Find(r.Context(), q)
	if err != nil {
		return err
	}
	n, err := l.s.Store.Count(r.Context(), l.Spec.Name, q)
	if err != nil {
		return err
	}
	rows, err := l.lines(r.Context(), &f, items)
	if err != nil {
		return err
	}
	f.Model, f.Q = l.Spec.Name, q.Q
	values := r.URL.Query()
	p := listPage[T]{frame: f, Heading: l.Spec.Title, Empty: l.empty, Finds: cmp.Or(l.finds, findsNumbers), Fill: l.s.fillers(l.Spec.Name), Count: countText(n),
		Heads: l.heads(values, q.Sort, n), Rows: rows,
		Filter: filter{"/" + l.Spec.Name, q, l.Spec.StateNames(), l.s.Providers(), keptOf(values), !l.Fixed, cmp.Or(l.hint, hintNumbers)},
		Chips:  l.chips(values, &f), Elsewhere: l.elsewhere(q.Q)}
	if next != "" {
		p.Next = address.With(l.Spec.Name, values, "cursor", next)
	}
	if q.Cursor != "" {
		p.First = address.With(l.Spec.Name, values, "cursor", "")
	}
	p.CSV, p.JSON = address.With(l.Spec.Name+".csv", values, "cursor", "", "limit", ""), address.With(l.Spec.Name+".json", values, "cursor", "", "limit", "")
	return l.s.render(w, http.StatusOK, l.Spec.Name, p)
}

// heads returns the columns' heads of a list of n rows. A head links only where so many rows can be sorted by it.
func (l *list[T]) heads(values url.Values, sort string, n int) []head {
	if sort == "" {
		sort = answer.DefaultSort
	}
	heads := make([]head, len(l.columns))
	for i, c := range l.columns {
		heads[i] = head{column: c, Sort: "none"}
		if c.Field == "" || n > projections.SortLimit && !slices.Contains(l.Spec.SortsAny(), c.Field) {
			continue
		}
		to := c.Field
		if c.Down {
			to = "-" + c.Field
		}
		switch sort {
		case c.Field:
			heads[i].Sort, to = "ascending", "-"+c.Field
		case "-" + c.Field:
			heads[i].Sort, to = "descending", c.Field
		}
		if to == answer.DefaultSort {
			to = ""
		}
		heads[i].Href = address.With(l.Spec.Name, values, "sort", to, "cursor", "")
	}
	return heads
}

// chips returns the filters that are set, each a link that clears it.
func (l *list[T]) chips(values url.Values, f *frame) []link {
	var chips []link
	for _, name := range []string{"q", "provider", "state"} {
		v := values.Get(name)
		if v == "" {
			continue
		}
		text := v
		switch name {
		case "state":
			text = view.StateOf(v).Word
		case "provider":
			text = f.Source(v)
		}
		chips = append(chips, link{text, address.With(l.Spec.Name, values, name, "", "cursor", "")})
	}
	if text := answer.SpanText(values.Get(address.ExpiresFrom), values.Get(address.ExpiresUntil)); text != "" {
		chips = append(chips, link{text, address.With(l.Spec.Name, values, address.ExpiresFrom, "", address.ExpiresUntil, "", "cursor", "")})
	}
	return chips
}

func (l *list[T]) elsewhere(q string) []link {
	if q == "" || l.Spec.Persons {
		return nil
	}
	return []link{{"Search in all lists", address.With("search", nil, "q", q)}}
}

// countText counts exactly up to the store's limit and says when there are more.
func countText(n int) string {
	if n > projections.CountLimit {
		return words.Number(projections.CountLimit) + "+"
	}
	return words.Number(n)
}
