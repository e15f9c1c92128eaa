package projections

import (
	"cmp"
	"context"
	"slices"
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

// Undecided names the state of a matter that nobody has decided about, or whose decision holds no more. The others are
// lifecycle.Snoozed and lifecycle.Taken: one that is acknowledged is no matter any more.
const Undecided = "open"

// The limits of what is listed.
const (
	mattersEach   = 200 // of one kind that are open
	pagesRead     = 50  // pages of one kind that are looked through for those that are open
	findersAtOnce = 4   // so that other readers of the file find a connection
)

// Matter names something a person should act on now: codes and values, of which package words makes the sentences.
type Matter struct {
	ID       string // of this occurrence: the next of its kind has another
	Severity string // Critical, Warning, Notice
	Kind     string // one of schema's Matter kinds
	Since    schema.Time
	Due      *schema.Time // when time runs out
	Copy     string       // what is to be put somewhere else: a DS record
	State    string       // Undecided, lifecycle.Snoozed, lifecycle.Taken; lifecycle.Acknowledged only of MatterOf
	Decision *Decision
	Provider string
	About    string // the name that it is about; empty: none is known
	Number   string // the provider's own, of what it is about; empty: none
	Facts    MatterFacts
	AsOf     time.Time // when it stood so

	Row  string      // the row that it concerns; empty: none
	Part string      // of the row, as in schema.Matter
	When schema.Time // which occurrence it is: schema.Matter's Since
}

// MatterFacts hold all that the sentences of a matter need, beside its kind, its names and its times.
type MatterFacts struct {
	Check     schema.CheckState // where the check stands that Part names
	Reasons   []string          // the provider's words, or why a delivery was not understood
	Finding   string            // the name of its definition
	Renewal   *schema.Time      // when the renewal should begin that needs a validation
	Successor string            // the id of the certificate that takes the place of the one that is to be revoked
	Overdue   bool              // of a rotation
	Silence   rules.Silence     // of a provider
	Loss      *schema.Loss      // of events of the log
}

// Decision tells what a person decided about a matter last.
type Decision struct {
	At    schema.Time  `json:"at"`
	Until *schema.Time `json:"until,omitempty"` // how long it holds; absent: until another
	By    string       `json:"by,omitempty"`    // who, if they said so
	Note  string       `json:"note,omitempty"`
}

// Attention lists what a person should act on now.
type Attention struct {
	Matters []Matter // open, most urgent first
	Decided []Matter // snoozed or taken, those first that are due again first
	More    bool     // there are more than are listed
}

// Attention returns what a person should act on now: revocations first, then the most severe, then what has the least
// time left, then what has waited longest.
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

// findAll returns what each of the finders finds, in their order; some look at the same time.
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

// finder returns a page of the matters of one kind or a few, and the cursor of the next page.
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

// finding finds the matters of the rows of a list.
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

// identified returns m with its id, of the occurrence that when says.
func (m Matter) identified(row, part string, when schema.Time) Matter {
	m.Row, m.Part, m.When = row, part, when
	m.ID = schema.MatterID(m.Kind, m.Provider, row, part, when)
	return m
}

// limited copies a table as a list of the rows for which the condition holds, ordered by one of the columns, which an
// index has in order.
func limited[S, T any](t *Table[S, T], condition string, columns ...string) *Table[S, T] {
	l := *t
	l.only = condition
	l.Sorts, l.InOrder = append(columns, t.Sorts...), append(columns, t.InOrder...)
	return &l
}

// reasonList returns the provider's words, as a matter's facts have them.
func reasonList(reason string) []string {
	if reason == "" {
		return nil
	}
	return []string{reason}
}

// firstOf returns the first of the times that is known.
func firstOf(times ...*schema.Time) schema.Time {
	for _, t := range times {
		if t != nil {
			return *t
		}
	}
	return schema.Time{}
}
