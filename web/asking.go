package web

import (
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/view"
)

// Asked tells how certtrail gets on with one provider's API.
type Asked struct {
	HowtoEnable []string // the settings to set, where it is not set up; else empty
	Collects    bool     // it hands out certificates

	Circuit  string      // closed, open or half-open, as a circuit breaker has it
	Until    schema.Time // when an open one lets a call through; else zero
	Trouble  string      // why the last call or question came to nothing, a sentence; "" if it did not
	Answered uint64      // answers that became events since the server started

	ReconciledAt schema.Time // zero: not yet
	Reconciled   string      // what the last reconcile found, a clause: "3 deliveries were missed"
	Missed       int         // how many deliveries it found missing, unless it was the first, which brings in what was there before
	Unreconciled string      // why the last one came to nothing, a sentence; "" if it did not
}

// Token holds the token of a challenge that a person may have to answer with. It is shown to nobody but people, and
// stored nowhere.
type Token struct {
	Webhook, Token string
	Until          schema.Time
	Trouble        string // why certtrail did not answer by itself, a sentence; "" while it does
}

// Delegation holds the answer of the name servers of a zone's parent about its DS records.
type Delegation struct {
	At      schema.Time
	Said    string // a sentence
	Refused bool   // whoever validates DNSSEC refuses the zone, and so does every CA
	Trouble string // why they could not be asked, a sentence; "" if they were
}

// askedView shows Asked on the page /system.
type askedView struct {
	Asked
	State          string // of its API: asked, left_alone or not_asked
	Again          view.Moment
	LastReconciled view.Moment
}

func (a *Asked) view(now time.Time) *askedView {
	if a == nil {
		return nil
	}
	v := &askedView{Asked: *a, State: "asked", Again: view.When(a.Until, now), LastReconciled: view.When(a.ReconciledAt, now)}
	switch {
	case len(a.HowtoEnable) > 0:
		v.State = "not_asked"
	case a.Circuit == "open":
		v.State = "left_alone"
	}
	return v
}

// tokenView shows a token and how long it is good for.
type tokenView struct {
	Token
	Good view.Moment
}

func tokensView(list []Token, now time.Time) []tokenView {
	var views []tokenView
	for _, t := range list {
		views = append(views, tokenView{t, view.When(t.Until, now)})
	}
	return views
}

// delegationView shows the parent's answer about the zone of one rotation.
type delegationView struct {
	Delegation
	Domain string
	Seen   view.Moment
}

// delegationOf returns the parent's present answer about the zone of d; nil where it was not asked, or the page is of
// another moment.
func (s *Server) delegationOf(d *projections.DNSSEC, now time.Time) *delegationView {
	if s.Delegation == nil || d.AsOf != nil {
		return nil
	}
	found, ok := s.Delegation(d)
	if !ok {
		return nil
	}
	return &delegationView{found, d.Domain, view.When(found.At, now)}
}

// refusedZones returns the zones among the rotations that CAs refuse.
func (s *Server) refusedZones(rotations []projections.DNSSEC, now time.Time) []*delegationView {
	var list []*delegationView
	for i := range rotations {
		if v := s.delegationOf(&rotations[i], now); v != nil && v.Refused {
			list = append(list, v)
		}
	}
	return list
}

// oneLine takes the line breaks out of a sentence, for errors that join several.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
