package projections

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// The severities of a matter, most urgent first.
const (
	Critical = "critical"
	Warning  = "warning"
	Notice   = "notice"
)

var severities = []string{Critical, Warning, Notice}

// Undecided is the state of a matter that nobody has decided about, or whose decision holds no more. The others are lifecycle.Snoozed and lifecycle.Taken:
// one that is acknowledged is no matter any more.
const Undecided = "open"

// The limits of what is listed.
const (
	mattersEach   = 200 // of one kind that are open
	pagesRead     = 50  // pages of one kind that are looked through for those that are open
	findersAtOnce = 4   // so that other readers of the file find a connection
)

// Matter is something a person should act on now.
type Matter struct {
	ID       string       `json:"id"`       // of this occurrence: the next of its kind has another
	Severity string       `json:"severity"` // critical, warning, notice
	Kind     string       `json:"kind"`     // one of schema's Matter kinds
	Title    string       `json:"title"`    // Heading with the provider's title, which whoever shows the matter knows; empty until then
	Detail   string       `json:"detail"`   // what happened
	Means    string       `json:"means,omitempty"`
	Do       string       `json:"do"`
	Since    schema.Time  `json:"since"`
	Due      *schema.Time `json:"due,omitempty"`  // when time runs out
	Copy     string       `json:"copy,omitempty"` // what is to be put somewhere else: a DS record
	Href     string       `json:"href"`
	State    string       `json:"state"` // open, snoozed, taken
	Decision *Decision    `json:"decision,omitempty"`
	Provider string       `json:"provider"`

	What   string `json:"-"` // "Revocation announced"
	About  string `json:"-"` // the name that it is about; empty: none is known
	Number string `json:"-"` // the provider's own, of what it is about; empty: none

	Row  string      `json:"-"` // the row that it concerns; empty: none
	Part string      `json:"-"` // of the row, as in schema.Matter
	When schema.Time `json:"-"` // which occurrence it is: schema.Matter's Since
}

// Decision is what a person decided about a matter last.
type Decision struct {
	At    schema.Time  `json:"at"`
	Until *schema.Time `json:"until,omitempty"` // how long it holds; absent: until another
	By    string       `json:"by,omitempty"`    // who, if they said so
	Note  string       `json:"note,omitempty"`
}

// Attention is what a person should act on now.
type Attention struct {
	Matters []Matter // open, most urgent first
	Decided []Matter // snoozed or taken, those first that are due again first
	More    bool     // there are more than are listed
}

// Attention is what a person should act on now: revocations first, then the most severe, then what has the least time left, then what has waited longest.
func (s *Store) Attention(ctx context.Context, now time.Time) (*Attention, error) {
	found, err := s.findAll(ctx, now)
	if err != nil {
		return nil, err
	}
	a := &Attention{Matters: []Matter{}, Decided: []Matter{}}
	for _, f := range found {
		a.Matters, a.Decided, a.More = append(a.Matters, f.Matters...), append(a.Decided, f.Decided...), a.More || f.More
	}
	slices.SortStableFunc(a.Matters, urgency)
	slices.SortStableFunc(a.Decided, func(a, b Matter) int {
		return cmp.Or(compareTimes(a.Decision.Until, b.Decision.Until), urgency(a, b))
	})
	return a, nil
}

// findAll is what each of the finders finds, in their order; some look at the same time.
func (s *Store) findAll(ctx context.Context, now time.Time) ([]Attention, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	finders := s.finders(Query{Now: now})
	found := make([]Attention, len(finders))
	var looking sync.WaitGroup
	places := make(chan struct{}, findersAtOnce)
	for i, find := range finders {
		looking.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if err := s.collect(ctx, &found[i], find, now); err != nil {
				cancel(err) // the first one counts; it ends the others
			}
		})
	}
	looking.Wait()
	return found, context.Cause(ctx)
}

func urgency(a, b Matter) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), compareTimes(a.Due, b.Due), a.Since.Compare(b.Since.Time))
}

func (m *Matter) rank() int {
	if m.Severity == Critical && (m.Kind == schema.MatterRevocationAnnounced || m.Kind == schema.MatterRevoked) {
		return -1
	}
	return slices.Index(severities, m.Severity)
}

// compareTimes has those that are not known last.
func compareTimes(a, b *schema.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(b.Time)
}

// finder is a page of the matters of one kind or a few, and the cursor of the next page.
type finder func(ctx context.Context, cursor string) (matters []Matter, next string, err error)

// finders find every matter, at the time and of the row that q asks for.
func (s *Store) finders(q Query) []finder {
	return []finder{ // what takes longest comes first
		s.lapsingDomains(q, true, -rules.LapseNotice, 0), s.lapsingDomains(q, true, 0, rules.LapseNotice),
		s.lapsingDomains(q, false, -rules.LapseNotice, 0), s.lapsingDomains(q, false, 0, rules.LapseNotice), s.announced(q), s.revoked(q), s.waitingOrders(q), s.lapsing(q),
		s.domains(lifecycle.Failed, q), s.domains(lifecycle.Expired, q), s.domains(lifecycle.RevalidationDue, q),
		s.organizations(lifecycle.Expired, q), s.organizations(lifecycle.RevalidationDue, q), s.organizations(matter, q), s.rejectedOrders(q),
		s.dnssec(lifecycle.StepDSSubmit, q), s.dnssec(lifecycle.StepDSRetract, q), s.failedTargets(q), s.openFindings(q), s.silent(q), s.quarantined(q), s.lost(q),
	}
}

// finding is the matters of the rows of a list.
func finding[S, T any](s *Store, t *Table[S, T], q Query, of func(*T) []Matter) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		q.Cursor, q.Limit = cursor, mattersEach
		items, next, err := List(ctx, s, t, q)
		if err != nil {
			return nil, "", err
		}
		return mattersOf(items, of), next, nil
	}
}

func mattersOf[T any](items []T, of func(*T) []Matter) []Matter {
	var matters []Matter
	for i := range items {
		matters = append(matters, of(&items[i])...)
	}
	return matters
}

// collect adds what find finds, until it is enough.
func (s *Store) collect(ctx context.Context, a *Attention, find finder, now time.Time) error {
	open, cursor := 0, ""
	for read := 1; ; read++ {
		matters, next, err := find(ctx, cursor)
		if err != nil {
			return err
		}
		if err := s.decide(ctx, matters, now); err != nil {
			return err
		}
		for _, m := range matters {
			switch {
			case m.State == lifecycle.Acknowledged:
			case m.State != Undecided:
				a.Decided = append(a.Decided, m)
			case open == mattersEach:
				a.More = true
				return nil
			default:
				a.Matters = append(a.Matters, m)
				open++
			}
		}
		if next == "" {
			return nil
		}
		if cursor = next; read == pagesRead {
			a.More = true
			return nil
		}
	}
}

// identified is m with its id, of the occurrence that when says.
func (m Matter) identified(row, part string, when schema.Time) Matter {
	m.Row, m.Part, m.When = row, part, when
	m.ID = schema.MatterID(m.Kind, m.Provider, row, part, when)
	return m
}

// limited is a copy of a table as a list of the rows for which the condition holds, ordered by one of the columns, which an index has in order.
func limited[S, T any](t *Table[S, T], condition string, columns ...string) *Table[S, T] {
	l := *t
	l.only = condition
	l.Sorts, l.InOrder = append(columns, t.Sorts...), append(columns, t.InOrder...)
	return &l
}

// firstOf is the first of the times that is known.
func firstOf(times ...*schema.Time) schema.Time {
	for _, t := range times {
		if t != nil {
			return *t
		}
	}
	return schema.Time{}
}

// Heading is a matter in one line; provider is the title of its provider.
func (m *Matter) Heading(provider string) string {
	source := strings.TrimSpace(provider + " " + m.Number)
	if m.About == "" {
		return m.What + ": " + source
	}
	return m.What + ": " + schema.DisplayName(m.About) + " (" + source + ")"
}

// words is a provider's reason as a sentence that follows another: ` Reason given: “…”.`, with the space before it.
func words(reason string) string {
	return " Reason given: “" + reason + "”" + either(strings.HasSuffix(reason, "."), "", ".")
}

// counted is "1 day", "2 days".
func counted(n int, what string) string {
	return strconv.Itoa(n) + " " + what + either(n == 1, "", "s")
}

// The layouts of what a matter says of days and of times.
const (
	dayLayout    = "2 Jan 2006"
	minuteLayout = "2 Jan 2006, 15:04 UTC"
)

func href(model, provider, id string) string {
	return "/" + model + "/" + url.PathEscape(provider) + "/" + url.PathEscape(id)
}
