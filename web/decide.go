package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

func undecided(format string, args ...any) error {
	return fmt.Errorf("%w: %s", answer.ErrDecision, fmt.Sprintf(format, args...))
}

// Decision records a person's decision about a matter.
type Decision struct {
	Kind     schema.Kind // one of the attention kinds
	Provider string
	Row      string        // that the matter concerns; empty: none
	Matter   schema.Matter // without its id, which follows from the rest
	By       string        // who, if they said so
}

// The days that a decision may hold for, and those that it does unless a person says otherwise.
var (
	decisionDays    = []int{1, 3, 7, 30}
	decisionDefault = 7
)

// The limits of what a form may say.
const (
	maxName     = 100 // bytes of a person's name
	maxDecision = 366 * 24 * time.Hour
)

// deciding holds a matter with what a person may decide about it: the data of the template "decide". A page that shows
// it has it made by Server.deciding.
type deciding struct {
	projections.Matter
	words.MatterText
	Number  string // the text's
	Href    string
	Source  string // the provider's title
	Open    bool   // a person can decide about it here
	Back    string // the page to go back to
	Days    []int
	Default int
	Left    string // time left, or by how much it is over
	Urgent  bool
	Since   view.Moment
	Word    string // what was decided, and until when; "" where it is open
}

// deciding returns the matters as the page at back shows them. Without Decide nobody can decide anything.
func (s *Server) deciding(matters []projections.Matter, f *frame, back string) []deciding {
	list := make([]deciding, len(matters))
	for i, m := range matters {
		source := f.Source(m.Provider)
		text := words.Matter(&m, source)
		d := deciding{Matter: m, MatterText: text, Number: text.Number, Href: s.matterHref(&m), Source: source, Back: back, Days: decisionDays, Default: decisionDefault,
			Since: view.When(m.Since, f.Now), Word: decisionWord(m.Decision, m.State)}
		d.Open = s.Decide != nil && s.ReadOnly == nil && schema.KnownMatter(m.Kind)
		if m.Due != nil {
			d.Left, d.Urgent = timeLeft(m.Due.Sub(f.Now))
		}
		list[i] = d
	}
	return list
}

// matterHref returns the address of the page about a matter's subject.
func (s *Server) matterHref(m *projections.Matter) string {
	switch m.Kind {
	case schema.MatterQuarantined:
		if s.Log == nil {
			return "/quarantine"
		}
		return "/events/" + address.Segment(m.Part)
	case schema.MatterSilent, schema.MatterEventsLost:
		return "/system"
	}
	return address.RowPath(lifecycle.MatterModel(m.Kind), m.Provider, m.Row)
}

// orderMatters returns the matters of an order for a person to decide about, where the page shows the order's present
// state.
func (s *Server) orderMatters(r *http.Request, f *frame, o *projections.Order, m projections.Moment) ([]deciding, error) {
	if s.Decide == nil || s.ReadOnly != nil || m.Seq != 0 || !m.Time.IsZero() {
		return nil, nil
	}
	matters, err := s.Store.MattersOf(r.Context(), o, f.Now)
	return s.deciding(matters, f, r.URL.RequestURI()), err
}

// timeLeft returns "22 h left" or "3 d overdue", and whether it is less than two days.
func timeLeft(left time.Duration) (text string, urgent bool) {
	if left < 0 {
		return words.Duration(-left) + " overdue", true
	}
	return words.Duration(left) + " left", left < 48*time.Hour
}

// decisionWord returns a decision in words: "taken by Ada until 28 Nov 2026"; "" where there is none.
func decisionWord(d *projections.Decision, state string) string {
	if d == nil {
		return ""
	}
	word := state
	if d.By != "" {
		word += " by " + d.By
	}
	if d.Until != nil {
		word += " until " + words.Minute(d.Until.Time)
	}
	return word
}

// decide takes what a person decided about a matter, and leads back to the page they came from.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	if s.Decide == nil {
		return answer.ErrStill
	}
	d, err := readDecision(r.PostForm, s.Now())
	if err != nil {
		return err
	}
	if err := s.decideOnce(r.Context(), d); err != nil {
		return err
	}
	http.Redirect(w, r, backTo(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}

// decideOnce keeps a decision, unless it is the one that stands. What it is about may have changed since the page was
// loaded, so it is looked for now. What changes from here on does no harm: a decision is about one occurrence, and
// settles no other.
func (s *Server) decideOnce(ctx context.Context, d Decision) error {
	s.decisions.Lock() // whoever sends the same at once waits, and then finds it decided
	defer s.decisions.Unlock()
	defer s.pressing.forget()
	m, err := s.Store.MatterOf(ctx, d.Provider, d.Row, d.Matter, s.Now())
	switch {
	case errors.Is(err, projections.ErrNotFound):
		return fmt.Errorf("%w: what came since the page was loaded has settled it, or it never was one", answer.ErrNoMatter)
	case err != nil:
		return err
	case d.stands(m):
		return nil
	case m.State == schema.AttentionAcknowledged.Name():
		return fmt.Errorf("%w: it was %s at %s", answer.ErrNoMatter, decisionWord(m.Decision, m.State), m.Decision.At.UTC().Format("15:04 UTC on 2 Jan 2006"))
	}
	return s.Decide(ctx, d)
}

// sameUntil bounds the difference between the ends of two decisions that a person took as one: a form counts its days
// from when it is sent.
const sameUntil = time.Minute

// stands reports whether that very decision holds of the matter.
func (d *Decision) stands(m *projections.Matter) bool {
	if d.Kind == schema.AttentionReopened {
		return m.State == projections.Undecided
	}
	if m.State != d.Kind.Name() || m.Decision.By != d.By || m.Decision.Note != d.Matter.Note {
		return false
	}
	had, has := m.Decision.Until, d.Matter.Until
	return had == nil && has == nil || had != nil && has != nil && has.Sub(had.Time).Abs() < sameUntil
}

func readDecision(form url.Values, now time.Time) (Decision, error) {
	d := Decision{Kind: schema.Kind(schema.AggregateAttention + "." + form.Get("decision")), Provider: form.Get("provider"), Row: form.Get("row"), By: strings.Join(strings.Fields(form.Get("by")), " "),
		Matter: schema.Matter{Kind: form.Get("kind"), Part: form.Get("part"), Note: redact.Note(form.Get("note"))}}
	if !slices.Contains([]schema.Kind{schema.AttentionAcknowledged, schema.AttentionSnoozed, schema.AttentionTaken, schema.AttentionReopened}, d.Kind) {
		return d, undecided("a matter can be acknowledged, snoozed, taken or reopened, not %q", form.Get("decision"))
	}
	since, err := schema.ParseTime(form.Get("since"))
	if err != nil || d.Provider == "" || !schema.KnownMatter(d.Matter.Kind) {
		return d, undecided("the form does not say which matter it is about: load the page again, then try once more")
	}
	if d.Matter.Since = since; len(d.By) > maxName {
		return d, undecided("a name has %d bytes at most", maxName)
	}
	if d.Kind == schema.AttentionSnoozed || d.Kind == schema.AttentionTaken {
		d.Matter.Until, err = readUntil(form, now)
	}
	return d, err
}

// readUntil returns the beginning of the day that the form names, or now and the number of days that it names.
func readUntil(form url.Values, now time.Time) (*schema.Time, error) {
	at := now
	if day := form.Get("until"); day != "" {
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return nil, undecided("%q is not a day such as 2026-12-01", day)
		}
		at = t
	} else {
		days, err := strconv.Atoi(form.Get("days"))
		if err != nil {
			days = decisionDefault
		}
		at = now.AddDate(0, 0, min(max(days, 0), 1000))
	}
	if at.Before(now) || at.Equal(now) || at.Sub(now) > maxDecision {
		return nil, undecided("a decision holds until a day that is to come, within a year from now")
	}
	t := schema.At(at)
	return &t, nil
}

// backTo returns the page of ours that a form names, or the start page.
func backTo(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
