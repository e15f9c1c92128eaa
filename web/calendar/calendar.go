// Package calendar feeds calendars with what ends, lapses and is to be revoked.
package calendar

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// Secret holds the secret of the feed's address. Its methods may be called at once from many goroutines.
type Secret interface {
	// Secret returns the secret that a subscriber must know.
	Secret() (string, error)
	// Renew makes another, so that whoever knew the old one no longer reads the feed.
	Renew() error
}

// Feed answers with what ends and when, as a calendar that programs subscribe to. Nothing in it changes after it is
// made.
type Feed struct {
	Store  *projections.Store
	Secret Secret
	URL    string // the pages' public address
	Now    func() time.Time
	Titles func() answer.Titles // of the providers
	Logger *slog.Logger
}

// The bounds of the feed.
const (
	feedAhead = 366 * 24 * time.Hour // how far it looks ahead
	feedBack  = 31 * 24 * time.Hour  // how long what is over stays in it
	feedEach  = 1000                 // entries of one kind, the soonest
)

// FeedAddress holds the feed's address, for those who may see it.
type FeedAddress struct {
	URL     string
	Trouble string // why there is none
}

// Address returns the address of the feed; nil: there is no feed.
func (f *Feed) Address() *FeedAddress {
	if f == nil {
		return nil
	}
	secret, err := f.Secret.Secret()
	if err != nil {
		f.Logger.Error("couldn't read the secret of the calendar's address", "error", err)
		return &FeedAddress{Trouble: "The secret of its address cannot be read; certtrail's log says why."}
	}
	return &FeedAddress{URL: f.URL + "/calendar.ics?token=" + url.QueryEscape(secret)}
}

// Renew gives the feed another address.
func (f *Feed) Renew(w http.ResponseWriter, r *http.Request) error {
	if f == nil {
		return answer.ErrNoRoute
	}
	if err := f.Secret.Renew(); err != nil {
		return err
	}
	http.Redirect(w, r, "/expiry#calendar", http.StatusSeeOther)
	return nil
}

// Serve answers with the expiries and revalidations. Without the secret there is nothing at this address, not even an
// answer that it exists.
func (f *Feed) Serve(w http.ResponseWriter, r *http.Request) error {
	if f == nil {
		return answer.ErrNoRoute
	}
	secret, err := f.Secret.Secret()
	if err != nil {
		return err
	}
	want, given := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(r.URL.Query().Get("token"))) // of one length, which tells nothing
	if secret == "" || subtle.ConstantTimeCompare(want[:], given[:]) != 1 {
		return answer.ErrNoRoute
	}
	entries, err := f.entries(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(&b, entries); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="certtrail.ics"`)
	_, _ = w.Write(b.Bytes()) // the peer may be gone, so there is nobody to tell
	return nil
}

// entries lists the announced revocations, and then what ends, soonest first of each kind.
func (f *Feed) entries(ctx context.Context) ([]entry, error) {
	now := f.Now()
	today := answer.Midnight(now)
	q := projections.Query{ExpiresFrom: today.Add(-feedBack), ExpiresUntil: today.Add(feedAhead), Limit: feedEach, Now: now}
	t := f.Titles()
	q.Sort = "not_after"
	certificates, _, err := projections.List(ctx, f.Store, projections.Certificates, q)
	if err != nil {
		return nil, err
	}
	q.Sort = "expires_at"
	domains, _, err := projections.List(ctx, f.Store, projections.Domains, q)
	if err != nil {
		return nil, err
	}
	organizations, _, err := projections.List(ctx, f.Store, projections.Organizations, q)
	if err != nil {
		return nil, err
	}
	announced, _, err := f.Store.Announced(ctx, projections.Query{Limit: feedEach, Now: now})
	if err != nil {
		return nil, err
	}
	var entries []entry
	for i := range announced {
		if c := &announced[i]; c.ToBeRevoked() && c.RevokesAt != nil && !c.RevokesAt.Before(today.Add(-feedBack)) {
			entries = append(entries, f.revocationEntry(t, c))
		}
	}
	for i := range certificates {
		if c := &certificates[i]; c.NotAfter != nil && c.State != "revoked" && c.State != "replaced" {
			entries = append(entries, f.certificateEntry(t, c))
		}
	}
	for i := range domains {
		if d := &domains[i]; d.ExpiresAt != nil {
			entries = append(entries, f.validationEntry(t, projections.Key{Model: "domains", Provider: d.Provider, ID: d.Name}, schema.DisplayName(d.Name), *d.ExpiresAt, d.LastEventAt))
		}
	}
	for i := range organizations {
		if o := &organizations[i]; o.ExpiresAt != nil {
			name := o.Name
			if name == "" {
				name = "organization " + o.ID
			}
			entries = append(entries, f.validationEntry(t, projections.Key{Model: "organizations", Provider: o.Provider, ID: o.ID}, name, *o.ExpiresAt, o.LastEventAt))
		}
	}
	return entries, nil
}

// subjectOf returns the name of a certificate in a calendar.
func subjectOf(c *projections.Certificate) string {
	names := view.NamesOf(c.CommonName, c.DNSNames)
	subject := schema.DisplayName(names.First)
	if subject == "" {
		subject = "certificate " + c.ID
	}
	if names.More > 0 {
		subject += " +" + words.Number(names.More)
	}
	return subject
}

// revocationEntry marks the moment of an announced revocation; the certificate's end is another entry.
func (f *Feed) revocationEntry(t answer.Titles, c *projections.Certificate) entry {
	about := []string{"The CA has announced that it will revoke the certificate on " + utcText(*c.RevokesAt) + ". Replace it wherever it is installed.", t.Of(c.Provider) + " certificate " + c.ID}
	if c.Reason != "" {
		about = append(about, "Reason given: "+c.Reason)
	}
	e := f.entry(projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}, "Certificate to be revoked: "+subjectOf(c), strings.Join(about, "\n"), *c.RevokesAt, c.LastEventAt)
	e.UID, e.Exact = address.RowKey(projections.Key{Model: "revocations", Provider: c.Provider, ID: c.ID}), true
	return e
}

func (f *Feed) certificateEntry(t answer.Titles, c *projections.Certificate) entry {
	k := projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}
	about := []string{"The certificate ends at " + utcText(*c.NotAfter) + ".", t.Of(c.Provider) + " certificate " + c.ID}
	if c.RenewFrom != nil {
		about = append(about, "Its renewal should begin on "+words.Day(c.RenewFrom.Time)+".")
	}
	if c.SerialNumber != "" {
		about = append(about, "Serial number "+c.SerialNumber)
	}
	return f.entry(k, "Certificate ends: "+subjectOf(c), strings.Join(about, "\n"), *c.NotAfter, c.LastEventAt)
}

func (f *Feed) validationEntry(t answer.Titles, k projections.Key, name string, ends, changed schema.Time) entry {
	return f.entry(k, "Validation lapses: "+name, t.Of(k.Provider)+" may reuse the validation until "+utcText(ends)+". Validate it again before the next order that needs it.", ends, changed)
}

func (f *Feed) entry(k projections.Key, summary, about string, ends, changed schema.Time) entry {
	return entry{UID: address.RowKey(k), At: ends.Time, Changed: changed.Time, Summary: summary, About: about, URL: f.URL + address.Row(k)}
}

func utcText(t schema.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }
