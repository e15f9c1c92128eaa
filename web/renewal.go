package web

import (
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
)

// renewal is what a certificate's page says of the one to follow it.
type renewal struct {
	Heir     string // the successor's page; "" while there is none
	HeirName string // its number, with its provider where that is another
	From     term   // the day on which the renewal should begin; zero where the validity is not known, or the certificate is no longer in force or about to be revoked
	In       string // how far off that is: "147 days"
	Due      bool   // it has come
	Most     int    // days that what is issued on that day, or now if it has come, may be valid; 0: not known
	Limits   []limitLine
}

// limitLine is one limit on validity: the one in force, or one to come.
type limitLine struct {
	Days    int
	From    time.Time
	Until   string // "in 110 days", or "in force"
	Shorter bool   // than the certificate is valid
}

// renewalOf is of c at now, with links as of the page's moment.
func (s *Server) renewalOf(f *frame, c *projections.Certificate) renewal {
	n := renewal{}
	n.Heir, n.HeirName = f.heir(c)
	for _, l := range s.limitsFrom(f.Now) {
		n.Limits = append(n.Limits, limitLine{l.Validity, l.From, limitUntil(l.From, f.Now), c.NotBefore != nil && lifeOf(*c, f.Now).Days > l.Validity})
	}
	if c.RenewFrom == nil || c.RevocationNotice || c.State != "active" && c.State != "expiring" {
		return n
	}
	n.From, n.Due = until(c.RenewFrom, f.Now), !f.Now.Before(c.RenewFrom.Time)
	n.In = words.Days(int(c.RenewFrom.Sub(f.Now) / (24 * time.Hour)))
	issue := c.RenewFrom.Time
	if n.Due {
		issue = f.Now
	}
	for _, l := range n.Limits {
		if !l.From.After(issue) {
			n.Most = l.Days
		}
	}
	return n
}

// heir is the page of a certificate's successor and what it is called; "" where there is none.
func (f *frame) heir(c *projections.Certificate) (href, name string) {
	if c.Successor == nil {
		return "", ""
	}
	if name = c.Successor.ID; c.Successor.Provider != c.Provider {
		name = f.Source(c.Successor.Provider) + " " + name
	}
	return rowPath("certificates", c.Successor.Provider, c.Successor.ID) + f.At(), name
}
