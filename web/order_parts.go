package web

import (
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/view"
)

// blocker names a thing that an order waits for.
type blocker struct {
	Key   string // of a check, or "message"
	Title string
	Tone  view.StateWord
	Mark  string // the check's name, for MarkCheck
	Since view.Lasting
	Words string // the CA's
	Text  words.CheckText
}

// blockersOf returns the checks that have not passed, those that failed first, and a message that nothing has answered.
func blockersOf(o *projections.Order, now time.Time) []blocker {
	var list []blocker
	for _, c := range view.ChecksOf(*o) {
		if c.State == string(schema.CheckPassed) {
			continue
		}
		w := view.StateOf(c.State)
		list = append(list, blocker{Key: c.Name, Title: words.CheckName(c.Name) + " " + w.Word, Tone: w, Mark: c.Name, Since: view.Since(c.Since, now), Words: c.Reason, Text: c.Text})
	}
	slices.SortStableFunc(list, func(a, b blocker) int { return toneRank(a.Tone.Tone) - toneRank(b.Tone.Tone) })
	if o.MessageAt != nil {
		w := view.StateOf("failed")
		w.Icon = "warn"
		list = slices.Insert(list, failures(list), blocker{Key: "message", Title: "Message from the CA", Tone: w, Since: view.Since(*o.MessageAt, now), Text: words.Message()})
	}
	return list
}

func toneRank(tone string) int { return slices.Index([]string{"bad", "warn", "wait"}, tone) }

func failures(list []blocker) int {
	n := slices.IndexFunc(list, func(b blocker) bool { return b.Tone.Tone != "bad" })
	if n < 0 {
		return len(list)
	}
	return n
}

// step shows one station of an order's way, in the strip under its title.
type step struct {
	Title string
	Check string // the check that it is; "": none
	State string // passed, failed, delayed, pending, or "" for what has not begun
	Note  string // "2 of 3"
	At    view.Lasting
	Hint  string // what its state means
	Href  string // what stands on the page about it; "": nothing
}

// stepsOf returns the stations that this order is known to have: the CA's checks are not the same for every product.
func stepsOf(o *projections.Order, now time.Time) []step {
	steps := []step{{Title: "Ordered", State: string(schema.CheckPassed), At: view.Since(o.FirstEventAt, now), Hint: "The first that was heard of it."}}
	domains := domainStep(o, now)
	for _, c := range view.ChecksOf(*o) {
		if domains != nil && view.CheckRank(c.Name) >= view.CheckRank(schema.CheckPhone) { // the CA calls once it knows whose domains they are
			steps, domains = append(steps, *domains), nil
		}
		if c.Domain != "" {
			continue
		}
		st := step{Title: words.CheckName(c.Name), Check: c.Name, State: c.State, At: view.Since(c.Since, now), Hint: c.Text.Happened}
		if c.State != string(schema.CheckPassed) {
			st.Href = "#check-" + c.Name
		}
		steps = append(steps, st)
	}
	if domains != nil {
		steps = append(steps, *domains)
	}
	return append(steps, lastStep(o, now))
}

// domainStep counts the order's names that are validated; nil where it has none that are known.
func domainStep(o *projections.Order, now time.Time) *step {
	all := len(o.Names())
	if all == 0 {
		return nil
	}
	passed, worst := 0, schema.CheckPassed
	var at schema.Time
	for _, c := range view.ChecksOf(*o) {
		if c.Domain == "" {
			continue
		}
		if c.State == string(schema.CheckPassed) {
			passed++
		} else if worst != schema.CheckFailed {
			worst = schema.CheckState(c.State)
		}
		if c.Since.After(at.Time) {
			at = c.Since
		}
	}
	if issued(o) { // the CA does not issue before they are
		passed = all
	}
	if passed < all && worst == schema.CheckPassed {
		worst = schema.CheckPending
	}
	return &step{Title: "Domains", State: string(worst), Note: view.NumberText(uint64(passed)) + " of " + view.NumberText(uint64(all)), At: view.Since(at, now),
		Hint: words.Check(schema.DomainCheck(""), worst).Happened, Href: "#domains"}
}

func issued(o *projections.Order) bool {
	return o.State == "issued" || o.State == "reissue_ready" || o.State == "revoked" && o.CertificateID != ""
}

func lastStep(o *projections.Order, now time.Time) step {
	at := view.Since(o.StateSince, now)
	w := view.StateOf(o.State)
	switch o.State {
	case "issued":
		return step{Title: "Issued", State: string(schema.CheckPassed), At: at, Hint: w.Hint}
	case "reissue_ready":
		return step{Title: "Reissue ready", State: o.State, At: at, Hint: w.Hint}
	case "revoked", "rejected", "canceled":
		return step{Title: words.Capital(w.Word), State: o.State, At: at, Hint: w.Hint}
	}
	return step{Title: "Issued", Hint: "The CA has not issued yet."}
}

// orderDomain shows one name of an order: where its check stands, and the validation that the CA has of it.
type orderDomain struct {
	Name       string
	Check      string         // as MarkCheck wants it; "" where the CA told of none
	State      view.StateWord // of the check, or else of the validation; zero where nothing is known
	Since      view.Lasting   // what has not passed
	Validation *validity
}

// validity tells how far a CA's validation of a name, or of one above it, reaches.
type validity struct {
	Above string // the name that is validated, where it is another
	State view.StateWord
	Until view.Term
}

// orderDomains lists the names of an order, those that wait first. Of a long list the rest is only counted.
type orderDomains struct {
	Shown []orderDomain
	Count int
	More  int
}

// domainsShown bounds the names of an order that its page spells out.
const domainsShown = 60

func domainsOf(o *projections.Order, now time.Time) orderDomains {
	validated := map[string]*projections.Domain{}
	for i := range o.Validations {
		validated[o.Validations[i].Name] = &o.Validations[i]
	}
	var waiting, done []orderDomain
	for _, name := range o.Names() {
		check := schema.DomainCheck(name)
		d := orderDomain{Name: name, Validation: validityOf(name, validated, now)}
		state, checked := o.Checks[check]
		if checked {
			d.Check, d.State = check, view.StateOf(string(state))
		}
		if checked && state != schema.CheckPassed {
			d.Since = view.Since(o.ChecksSince[check], now)
			waiting = append(waiting, d)
		} else {
			done = append(done, d)
		}
	}
	all := append(waiting, done...)
	n := min(len(all), domainsShown)
	return orderDomains{all[:n], len(all), len(all) - n}
}

// validityOf returns the validation of name, or of the nearest name above it that has one; nil where there is none.
func validityOf(name string, validated map[string]*projections.Domain, now time.Time) *validity {
	for _, n := range projections.ValidatedAs(name) {
		if d := validated[n]; d != nil {
			v := &validity{State: view.StateOf(d.State), Until: view.Until(d.ExpiresAt, now)}
			if n != name {
				v.Above = n
			}
			return v
		}
	}
	return nil
}
