package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Changed is one thing that an event changed, in people's words: state, pending, action required.
type Changed struct {
	Field  string `json:"field"`            // "state", "check organization", "valid until", "names added"
	Before string `json:"before,omitempty"` // absent: not known before
	After  string `json:"after,omitempty"`  // absent: not known any more
}

// changedNames bounds how many names a change spells out.
const changedNames = 8

// Changes is what is other in after than in o; of the first event, all that it told. What follows from the rest (the next step) is left
// out, and so are a row's times and counts of its events, which every event changes.
// Likewise the other states' Changes.
func (o Order) Changes(after Order, _ time.Time) []Changed {
	var c changes
	c.code("state", o.state(), after.state())
	names := slices.Sorted(maps.Keys(after.Checks)) // checks only ever come
	for _, name := range names {
		field := checkField(name)
		c.code("check "+field, string(o.Checks[name]), string(after.Checks[name]))
		if o.Checks[name] == after.Checks[name] {
			c.text("reason of "+field, o.Reasons[name], after.Reasons[name])
		}
	}
	c.text("message from the CA", unanswered(o.MessageAt != nil), unanswered(after.MessageAt != nil))
	c.text("certificate", o.CertificateID, after.CertificateID)
	c.list("certificates revoked", "certificates no longer revoked", o.RevokedIDs, after.RevokedIDs)
	c.text("common name", o.CommonName, after.CommonName)
	c.list("names added", "names removed", o.DNSNames, after.DNSNames)
	c.text("unreadable", o.Unreadable, after.Unreadable)
	return c
}

// checkField is a check's name in the middle of a sentence: "organization", "CSR", "domain www.example.com".
func checkField(name string) string {
	if name == schema.CheckCSR {
		return "CSR"
	}
	return strings.Replace(name, ":", " ", 1)
}

// state is State, and "" before the first event.
func (o Order) state() string {
	if o.Phase == "" {
		return ""
	}
	return o.State()
}

// Changes returns what differs in after from c. state returns where a certificate stands when the event was received.
func (c Certificate) Changes(after Certificate, state func(Certificate) string) []Changed {
	var d changes
	before := ""
	if c.Phase != "" {
		before = state(c)
	}
	x, y := &c.Cert, &after.Cert
	d.code("state", before, state(after))
	d.text("revocation announced", yes(c.Announced), yes(after.Announced))
	d.time("revocation due", c.RevokesAt, after.RevokesAt)
	d.text("reason", c.Reason, after.Reason)
	d.text("order", c.OrderID, after.OrderID)
	d.text("common name", x.CommonName, y.CommonName)
	d.list("names added", "names removed", x.DNSNames, y.DNSNames)
	d.text("issuer", x.Issuer, y.Issuer)
	d.time("valid from", x.NotBefore, y.NotBefore)
	d.time("valid until", x.NotAfter, y.NotAfter)
	d.text("key", x.KeyAlgorithm, y.KeyAlgorithm)
	d.text("serial number", x.SerialNumber, y.SerialNumber)
	d.text("fingerprint", x.FingerprintSHA256, y.FingerprintSHA256)
	d.text("unreadable", c.Unreadable, after.Unreadable)
	return d
}

// Changes returns what differs in after from r. state returns where a rotation stands when the event was received.
func (r DNSSEC) Changes(after DNSSEC, state func(DNSSEC) string) []Changed {
	var c changes
	c.code("state", state(r), state(after))
	c.text("next step", stepWords(r.NextStep), stepWords(after.NextStep))
	c.text("zone", r.Domain, after.Domain)
	c.text("DS", dsText(r.DS), dsText(after.DS))
	c.text("old DS", dsText(r.PreviousDS), dsText(after.PreviousDS))
	c.time("started", r.StartedAt, after.StartedAt)
	c.time("completed", r.CompletedAt, after.CompletedAt)
	c.text("unreadable", r.Unreadable, after.Unreadable)
	return c
}

// Changes is what is other in after than in d.
func (d Domain) Changes(after Domain, _ time.Time) []Changed {
	return d.changes(&after.Validation)
}

// Changes is what is other in after than in o.
func (o Organization) Changes(after Organization, _ time.Time) []Changed {
	c := o.changes(&after.Validation)
	c.text("name", o.Name, after.Name)
	c.text("validation", o.ValidationType, after.ValidationType)
	return c
}

func (v *Validation) changes(after *Validation) changes {
	var c changes
	c.code("state", v.State, after.State)
	c.time("validated", v.ValidatedAt, after.ValidatedAt)
	c.time("reusable until", v.ExpiresAt, after.ExpiresAt)
	c.text("reason", v.Reason, after.Reason)
	c.text("unreadable", v.Unreadable, after.Unreadable)
	return c
}

// Changes is what is other in after than in w.
func (w Website) Changes(after Website, _ time.Time) []Changed {
	var c changes
	c.code("last report", w.State, after.State)
	return c
}

// changes are gathered field by field.
type changes []Changed

func (c *changes) text(field, before, after string) {
	if before != after {
		*c = append(*c, Changed{field, before, after})
	}
}

// code is text of a word that programs use.
func (c *changes) code(field, before, after string) { c.text(field, words(before), words(after)) }

func (c *changes) time(field string, before, after *schema.Time) {
	c.text(field, minute(before), minute(after))
}

func (c *changes) list(added, removed string, before, after []string) {
	c.text(added, "", namesText(without(after, before)))
	c.text(removed, "", namesText(without(before, after)))
}

func without(list, others []string) []string {
	var left []string
	for _, s := range list {
		if !slices.Contains(others, s) && !slices.Contains(left, s) {
			left = append(left, s)
		}
	}
	return left
}

func namesText(names []string) string {
	if more := len(names) - changedNames; more > 0 {
		return strings.Join(names[:changedNames], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

func minute(t *schema.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func dsText(ds *schema.DS) string {
	if ds == nil {
		return ""
	}
	return fmt.Sprintf("%d %d %d %s", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
}

func stepWords(step string) string {
	switch step {
	case StepDSSubmit:
		return "publish the new DS"
	case StepDSRetract:
		return "remove the old DS"
	}
	return words(step)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func unanswered(b bool) string {
	if b {
		return "unanswered"
	}
	return ""
}
