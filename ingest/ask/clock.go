package ask

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

const clockDecoder = "clock/1"

// Day lasts 86,400 seconds, whatever the calendar says.
const Day = 24 * time.Hour

// Thresholds say how long before an end its notices fall due.
type Thresholds struct {
	Days   []int // of what lives long
	Shares []int // percent of the lifetime that are left, of what lives so short that the longest of Days is more than a third of its life
}

// DefaultThresholds tell of a year's or a hundred days' certificate 30, 14, 7 days and one day before its end; of one
// of 47 days at 15.5 and 4.7 days and one day, and of one of six days at two days and at 14 hours.
var DefaultThresholds = Thresholds{Days: []int{30, 14, 7, 1}, Shares: []int{33, 10}}

// mark names a moment at which something is due.
type mark struct {
	at   time.Time
	name string // the threshold in the notice's id: "30d", "33%", "0" for the end itself
	left string // for people
}

// before returns the marks of a life from begin, zero if that is not known, until end.
func (t Thresholds) before(begin, end time.Time) []mark {
	life := end.Sub(begin)
	longest := time.Duration(0)
	for _, days := range t.Days {
		longest = max(longest, time.Duration(days)*Day)
	}
	short := !begin.IsZero() && life/3 < longest
	fits := longest // days up to this are told of
	var marks []mark
	if short {
		fits = life
		for _, percent := range t.Shares {
			left := life / 100 * time.Duration(percent)
			marks = append(marks, mark{end.Add(-left), strconv.Itoa(percent) + "%", fmt.Sprintf("%d %% of its lifetime", percent)})
			fits = min(fits, left-1)
		}
	}
	for _, days := range t.Days {
		if left := time.Duration(days) * Day; left <= fits {
			marks = append(marks, mark{end.Add(-left), strconv.Itoa(days) + "d", plural(days, "day")})
		}
	}
	return marks
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// Certificate holds what the clock must know of a certificate.
type Certificate struct {
	Provider  string // the source's name
	ID        string // as its row is called
	OrderID   string
	NotBefore time.Time // zero if it is not known
	NotAfter  time.Time // zero if it is not known: then nothing is due
	Heard     time.Time // when the log took the event that brought NotAfter
	Over      bool      // revoked or replaced: nothing more is due
}

// Validation holds what the clock must know of the validation of a domain.
type Validation struct {
	Provider    string // the source's name
	Domain      string
	ValidatedAt time.Time // zero if it is not known
	ExpiresAt   time.Time // when it lapses, as the provider said or the rules have it; zero if it is not known: then nothing is due
	Renewal     time.Time // when the next renewal of what it covers should begin; zero: there is none
	Heard       time.Time // when the log took the event that brought either
	Over        bool      // it failed, or the provider told of its end: nothing more is due
}

// Notice says that something is due. Its Event is appended.
type Notice struct {
	ID   string // <kind>/<source>/<id>/<not_after>/<threshold>: one per matter and threshold, for ever
	Kind schema.Kind
	At   time.Time // when it fell due
	Data schema.Data
}

// Event returns the notice as an event, told at now.
func (n Notice) Event(now time.Time) *schema.Event {
	return schema.New(n.ID, schema.ClockSource, schema.At(now), n.Kind, n.Data)
}

// Due returns the notices that fell due after last, when the run before looked (zero if there was none), up to now; the
// oldest first. What was past when it was first heard of is never due. Certificates and validations must be as of now:
// whoever reads them from models that lag behind the log waits first. Each notice falls due in one run only, however
// often and irregularly it runs; a clock that goes back makes none due twice.
func (t Thresholds) Due(now, last time.Time, certificates []Certificate, validations []Validation) []Notice {
	var due []Notice
	add := func(heard time.Time, marks []mark, notice func(m mark) Notice) {
		for _, m := range marks {
			if m.at.After(heard) && m.at.After(last) && !m.at.After(now) {
				due = append(due, notice(m))
			}
		}
	}
	for _, c := range certificates {
		if !c.Over && !c.NotAfter.IsZero() {
			add(c.Heard, t.before(c.NotBefore, c.NotAfter), c.expiring)
			add(c.Heard, []mark{ended(c.NotAfter)}, c.expired)
		}
	}
	for _, v := range validations {
		if !v.Over && !v.ExpiresAt.IsZero() {
			add(v.Heard, t.before(v.ValidatedAt, v.ExpiresAt), v.due)
			add(v.Heard, []mark{ended(v.ExpiresAt)}, v.expired)
		}
	}
	slices.SortFunc(due, func(a, b Notice) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return due
}

// ended marks an end: the second after the last that counts.
func ended(end time.Time) mark { return mark{at: end.Add(time.Second), name: "0"} }

func (c Certificate) expiring(m mark) Notice {
	return c.notice(schema.CertificateExpiring, m, "It expires on "+c.NotAfter.UTC().Format(time.DateOnly)+": "+m.left+" before its end.")
}

func (c Certificate) expired(m mark) Notice {
	return c.notice(schema.CertificateExpired, m, "It expired on "+c.NotAfter.UTC().Format(time.DateOnly)+".")
}

func (c Certificate) notice(k schema.Kind, m mark, reason string) Notice {
	n := newNotice(k, c.Provider, c.ID, c.NotAfter, m, reason)
	n.Data.OrderID, n.Data.CertificateID = c.OrderID, c.ID
	notAfter := schema.At(c.NotAfter)
	n.Data.Certificate = &schema.Certificate{NotAfter: &notAfter}
	if !c.NotBefore.IsZero() {
		notBefore := schema.At(c.NotBefore)
		n.Data.Certificate.NotBefore = &notBefore
	}
	return n
}

func (v Validation) due(m mark) Notice {
	return v.notice(schema.DomainRevalidationDue, m, "Its validation may be used until "+v.ExpiresAt.UTC().Format(time.DateOnly)+": "+m.left+" before its end."+v.needed())
}

func (v Validation) expired(m mark) Notice {
	return v.notice(schema.DomainExpired, m, "Its validation may be used no more since "+v.ExpiresAt.UTC().Format(time.DateOnly)+"."+v.needed())
}

// needed says when the next renewal that needs the validation should begin, as a sentence after another.
func (v Validation) needed() string {
	if v.Renewal.IsZero() {
		return ""
	}
	return " The next renewal of what it covers should begin on " + v.Renewal.UTC().Format(time.DateOnly) + "."
}

func (v Validation) notice(k schema.Kind, m mark, reason string) Notice {
	n := newNotice(k, v.Provider, v.Domain, v.ExpiresAt, m, reason)
	expires := schema.At(v.ExpiresAt)
	n.Data.Domain, n.Data.ExpiresAt = v.Domain, &expires
	return n
}

func newNotice(k schema.Kind, provider, id string, end time.Time, m mark, reason string) Notice {
	at := schema.At(m.at)
	return Notice{
		ID:   strings.Join([]string{string(k), url.PathEscape(provider), url.PathEscape(id), schema.At(end).String(), m.name}, "/"),
		Kind: k, At: m.at, Data: schema.Data{Provider: provider, Event: string(k), Decoder: clockDecoder, OccurredAt: &at, Reason: reason},
	}
}

// Overdue names a rotation of keys that has waited for its end for longer than it should.
type Overdue struct {
	Provider  string // the source's name
	WebsiteID string
	Domain    string    // "" if it is not known
	Started   time.Time // when the rotation began
	From      time.Time // since when it is overdue
}

// DueRotations returns the notices of rotations that became overdue after last, up to now.
func DueRotations(now, last time.Time, rotations []Overdue) []Notice {
	var due []Notice
	for _, r := range rotations {
		if !r.From.After(last) || r.From.After(now) {
			continue
		}
		reason := "It began on " + r.Started.UTC().Format(time.DateOnly) + " and is not completed: see that the parent zone has the new DS record."
		n := newNotice(schema.DNSSECRotationOverdue, r.Provider, r.WebsiteID, r.From, mark{at: r.From, name: "0"}, reason)
		n.Data.WebsiteID, n.Data.Domain = r.WebsiteID, r.Domain
		due = append(due, n)
	}
	return due
}
