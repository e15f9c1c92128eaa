package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

// Calendar holds the secret of the feed's address. Its methods may be called at once from many goroutines.
type Calendar interface {
	// Secret is the secret that a subscriber must know.
	Secret() (string, error)
	// Renew makes another, so that whoever knew the old one no longer reads the feed.
	Renew() error
}

// The bounds of the feed.
const (
	calendarAhead = 366 * 24 * time.Hour // how far it looks ahead
	calendarBack  = 31 * 24 * time.Hour  // how long what is over stays in it
	calendarEach  = 1000                 // entries of one kind, the soonest
)

// calendarBox is what /expiry says of the feed.
type calendarBox struct {
	URL     string
	Trouble string // why there is none
}

func (s *Server) calendarBox() *calendarBox {
	if s.Calendar == nil {
		return nil
	}
	secret, err := s.Calendar.Secret()
	if err != nil {
		s.Logger.Error("couldn't read the secret of the calendar's address", "error", err)
		return &calendarBox{Trouble: "The secret of its address cannot be read; certtrail's log says why."}
	}
	return &calendarBox{URL: s.URL + "/calendar.ics?token=" + url.QueryEscape(secret)}
}

// renewCalendar gives the feed another address.
func (s *Server) renewCalendar(w http.ResponseWriter, r *http.Request) error {
	if s.Calendar == nil {
		return errNoRoute
	}
	if err := s.Calendar.Renew(); err != nil {
		return err
	}
	http.Redirect(w, r, "/expiry#calendar", http.StatusSeeOther)
	return nil
}

// calendar is the feed of expiries and revalidations. Without its secret there is nothing at this address, not even an answer that it exists.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request) error {
	if s.Calendar == nil {
		return errNoRoute
	}
	secret, err := s.Calendar.Secret()
	if err != nil {
		return err
	}
	want, given := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(r.URL.Query().Get("token"))) // of one length, which tells nothing
	if secret == "" || subtle.ConstantTimeCompare(want[:], given[:]) != 1 {
		return errNoRoute
	}
	entries, err := s.calendarEntries(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := writeCalendar(&b, entries); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="certtrail.ics"`)
	_, _ = w.Write(b.Bytes()) // the peer may be gone, so there is nobody to tell
	return nil
}

// calendarEntries are the revocations that are announced, and what ends, soonest first of each kind.
func (s *Server) calendarEntries(ctx context.Context) ([]calendarEntry, error) {
	now := s.Now()
	today := midnight(now)
	q := projections.Query{ExpiresFrom: today.Add(-calendarBack), ExpiresUntil: today.Add(calendarAhead), Limit: calendarEach, Now: now}
	f := s.frame(ctx, "", "")
	q.Sort = "not_after"
	certificates, _, err := projections.List(ctx, s.Store, projections.Certificates, q)
	if err != nil {
		return nil, err
	}
	q.Sort = "expires_at"
	domains, _, err := projections.List(ctx, s.Store, projections.Domains, q)
	if err != nil {
		return nil, err
	}
	organizations, _, err := projections.List(ctx, s.Store, projections.Organizations, q)
	if err != nil {
		return nil, err
	}
	announced, _, err := s.Store.Announced(ctx, projections.Query{Limit: calendarEach, Now: now})
	if err != nil {
		return nil, err
	}
	var entries []calendarEntry
	for i := range announced {
		if c := &announced[i]; c.ToBeRevoked() && c.RevokesAt != nil && !c.RevokesAt.Before(today.Add(-calendarBack)) {
			entries = append(entries, s.revocationEntry(&f, c))
		}
	}
	for i := range certificates {
		if c := &certificates[i]; c.NotAfter != nil && c.State != "revoked" && c.State != "replaced" {
			entries = append(entries, s.certificateEntry(&f, c))
		}
	}
	for i := range domains {
		if d := &domains[i]; d.ExpiresAt != nil {
			entries = append(entries, s.validationEntry(&f, projections.Key{Model: "domains", Provider: d.Provider, ID: d.Name}, schema.DisplayName(d.Name), *d.ExpiresAt, d.LastEventAt))
		}
	}
	for i := range organizations {
		if o := &organizations[i]; o.ExpiresAt != nil {
			name := o.Name
			if name == "" {
				name = "organization " + o.ID
			}
			entries = append(entries, s.validationEntry(&f, projections.Key{Model: "organizations", Provider: o.Provider, ID: o.ID}, name, *o.ExpiresAt, o.LastEventAt))
		}
	}
	return entries, nil
}

// calendarSubject is what a calendar calls a certificate.
func calendarSubject(c *projections.Certificate) string {
	names := namesOf(c.CommonName, c.DNSNames)
	subject := schema.DisplayName(names.First)
	if subject == "" {
		subject = "certificate " + c.ID
	}
	if names.More > 0 {
		subject += " +" + words.Number(names.More)
	}
	return subject
}

// revocationEntry is the moment of an announced revocation; the certificate's end is another entry.
func (s *Server) revocationEntry(f *frame, c *projections.Certificate) calendarEntry {
	about := []string{"The CA has announced that it will revoke the certificate on " + utcText(*c.RevokesAt) + ". Replace it wherever it is installed.", f.Source(c.Provider) + " certificate " + c.ID}
	if c.Reason != "" {
		about = append(about, "Reason given: "+c.Reason)
	}
	e := s.entry(projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}, "Certificate to be revoked: "+calendarSubject(c), strings.Join(about, "\n"), *c.RevokesAt, c.LastEventAt)
	e.UID, e.Exact = rowKey(projections.Key{Model: "revocations", Provider: c.Provider, ID: c.ID}), true
	return e
}

func (s *Server) certificateEntry(f *frame, c *projections.Certificate) calendarEntry {
	k := projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}
	about := []string{"The certificate ends at " + utcText(*c.NotAfter) + ".", f.Source(c.Provider) + " certificate " + c.ID}
	if c.RenewFrom != nil {
		about = append(about, "Its renewal should begin on "+words.Day(c.RenewFrom.Time)+".")
	}
	if c.SerialNumber != "" {
		about = append(about, "Serial number "+c.SerialNumber)
	}
	return s.entry(k, "Certificate ends: "+calendarSubject(c), strings.Join(about, "\n"), *c.NotAfter, c.LastEventAt)
}

func (s *Server) validationEntry(f *frame, k projections.Key, name string, ends, changed schema.Time) calendarEntry {
	return s.entry(k, "Validation lapses: "+name, f.Source(k.Provider)+" may reuse the validation until "+utcText(ends)+". Validate it again before the next order that needs it.", ends, changed)
}

func (s *Server) entry(k projections.Key, summary, about string, ends, changed schema.Time) calendarEntry {
	return calendarEntry{UID: rowKey(k), At: ends.Time, Changed: changed.Time, Summary: summary, About: about, URL: s.URL + href(k)}
}

func utcText(t schema.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }
