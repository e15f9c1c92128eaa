package web

import (
	"fmt"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/view"
)

// renewal tells a certificate's page of the one to follow it.
type renewal struct {
	Heir     string    // the successor's page; "" while there is none
	HeirName string    // its number, with its provider where that is another
	From     view.Term // the day on which the renewal should begin; zero where the validity is not known, or the certificate is no longer in force or about to be revoked
	In       string    // how far off that is: "147 days"
	Due      bool      // it has come
	Most     int       // days that what is issued on that day, or now if it has come, may be valid; 0: not known
	Limits   []limitLine
}

// limitLine shows one limit on validity: the one in force, or one to come.
type limitLine struct {
	Days    int
	From    time.Time
	Until   string // "in 110 days", or "in force"
	Shorter bool   // than the certificate is valid
}

// renewalOf describes the renewal of c at now, with links as of the page's moment.
func (s *Server) renewalOf(f *frame, c *projections.Certificate) renewal {
	n := renewal{}
	n.Heir, n.HeirName = f.heir(c)
	for _, l := range rules.LimitsFrom(f.Now) {
		n.Limits = append(n.Limits, limitLine{l.Validity, l.From, limitUntil(l.From, f.Now), c.NotBefore != nil && view.LifeOf(*c, f.Now).Days > l.Validity})
	}
	if c.RenewFrom == nil || c.RevocationNotice || !rules.InForce(c.State) {
		return n
	}
	n.From, n.Due = view.Until(c.RenewFrom, f.Now), !f.Now.Before(c.RenewFrom.Time)
	n.In = words.Days(int(c.RenewFrom.Sub(f.Now) / (24 * time.Hour)))
	issue := c.RenewFrom.Time
	if n.Due {
		issue = f.Now
	}
	n.Most = rules.LimitOf(issue).Validity
	return n
}

// heir returns the page of a certificate's successor and what it is called; "" where there is none.
func (f *frame) heir(c *projections.Certificate) (href, name string) {
	if c.Successor == nil {
		return "", ""
	}
	if name = c.Successor.ID; c.Successor.Provider != c.Provider {
		name = f.Source(c.Successor.Provider) + " " + name
	}
	return address.RowPath("certificates", c.Successor.Provider, c.Successor.ID) + f.At(), name
}

const ruleDate = "2 January 2006"

// outlives says that a certificate in use is valid for longer than it may be, and what follows; "" if it is not.
func outlives(c *projections.Certificate) string {
	x, found := rules.Outlives(c.NotBefore, c.NotAfter)
	if !found || !rules.InForce(c.State) {
		return ""
	}
	when := "before " + x.Until.Format(ruleDate)
	if !x.Limit.From.IsZero() {
		when = "since " + x.Limit.From.Format(ruleDate)
	}
	return fmt.Sprintf("It is valid for %s; what was issued %s may be valid for %d at most. Browsers refuse it, unless its CA is a private one.",
		words.Days(x.Days), when, x.Limit.Validity)
}

// lapsesFirst says that a validation lapses before the next renewal of what it covers; "" if it does not, or has
// lapsed.
func lapsesFirst(v *projections.Domain, now time.Time) string {
	lapse := rules.LapseOf(v.ValidatedAt, v.ExpiresAt)
	if !v.LapsesFirst || !lapse.After(now) {
		return ""
	}
	return fmt.Sprintf("It lapses on %s, before the next renewal, which is due from %s on: have the domain validated again until then.",
		lapse.UTC().Format(ruleDate), v.NextRenewal.UTC().Format(ruleDate))
}
