package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Changed names one thing that an event changed, as codes and values.
type Changed struct {
	Field  string `json:"field"`            // one of Fields, or a check's: "state", "not_after", "check:organization", "names_added"
	Before string `json:"before,omitempty"` // absent: not known before
	After  string `json:"after,omitempty"`  // absent: not known any more
	More   int    `json:"more,omitempty"`   // of a list: how many there are beyond those of After
}

// namesListed bounds how many names, or other things of a list, a change or an event's facts have.
const namesListed = 8

// ListSeparator stands between the things of a list that is a value.
const ListSeparator = ", "

// Changes returns what differs in after from o; of the first event, all that it says. What follows from the rest (the
// next step) is left out, and so are a row's times and counts of its events, which every event changes. The other
// states' Changes leave out the same.
func (o Order) Changes(after Order, _ time.Time) []Changed {
	var c changes
	c.text(FieldState, o.state(), after.state())
	for _, name := range slices.Sorted(maps.Keys(after.Checks)) { // they hardly ever go
		c.text(CheckField(name), string(o.Checks[name]), string(after.Checks[name]))
		if o.Checks[name] == after.Checks[name] {
			c.text(ReasonField(name), o.Reasons[name], after.Reasons[name])
		}
	}
	c.text(FieldMessage, unanswered(o.MessageAt != nil), unanswered(after.MessageAt != nil))
	c.text(FieldCertificate, o.CertificateID, after.CertificateID)
	c.list(FieldRevokedAdded, FieldRevokedRemoved, o.RevokedIDs, after.RevokedIDs)
	c.text(FieldCommonName, o.CommonName, after.CommonName)
	c.list(FieldNamesAdded, FieldNamesRemoved, o.DNSNames, after.DNSNames)
	c.text(FieldUnreadable, o.Unreadable, after.Unreadable)
	return c
}

// state returns State, and "" before the first event.
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
	d.text(FieldState, before, state(after))
	d.text(FieldAnnounced, truth(c.Announced), truth(after.Announced))
	d.time(FieldRevokesAt, c.RevokesAt, after.RevokesAt)
	d.text(FieldReason, c.Reason, after.Reason)
	d.text(FieldOrder, c.OrderID, after.OrderID)
	d.text(FieldCommonName, x.CommonName, y.CommonName)
	d.list(FieldNamesAdded, FieldNamesRemoved, x.DNSNames, y.DNSNames)
	d.text(FieldIssuer, x.Issuer, y.Issuer)
	d.time(FieldNotBefore, x.NotBefore, y.NotBefore)
	d.time(FieldNotAfter, x.NotAfter, y.NotAfter)
	d.text(FieldKey, x.KeyAlgorithm, y.KeyAlgorithm)
	d.text(FieldSerial, x.SerialNumber, y.SerialNumber)
	d.text(FieldFingerprint, x.FingerprintSHA256, y.FingerprintSHA256)
	d.text(FieldUnreadable, c.Unreadable, after.Unreadable)
	return d
}

// Changes returns what differs in after from r. state returns where a rotation stands when the event was received.
func (r DNSSEC) Changes(after DNSSEC, state func(DNSSEC) string) []Changed {
	var c changes
	c.text(FieldState, state(r), state(after))
	c.text(FieldNextStep, r.NextStep, after.NextStep)
	c.text(FieldZone, r.Domain, after.Domain)
	c.text(FieldDS, dsText(r.DS), dsText(after.DS))
	c.text(FieldPreviousDS, dsText(r.PreviousDS), dsText(after.PreviousDS))
	c.time(FieldStartedAt, r.StartedAt, after.StartedAt)
	c.time(FieldRotatedAt, r.CompletedAt, after.CompletedAt)
	c.text(FieldUnreadable, r.Unreadable, after.Unreadable)
	return c
}

// Changes returns what differs in after from d.
func (d Domain) Changes(after Domain, _ time.Time) []Changed {
	return d.changes(&after.Validation)
}

// Changes returns what differs in after from o.
func (o Organization) Changes(after Organization, _ time.Time) []Changed {
	c := o.changes(&after.Validation)
	c.text(FieldName, o.Name, after.Name)
	c.text(FieldValidation, o.ValidationType, after.ValidationType)
	return c
}

func (v *Validation) changes(after *Validation) changes {
	var c changes
	c.text(FieldState, v.State, after.State)
	c.time(FieldValidatedAt, v.ValidatedAt, after.ValidatedAt)
	c.time(FieldExpiresAt, v.ExpiresAt, after.ExpiresAt)
	c.text(FieldReason, v.Reason, after.Reason)
	c.text(FieldUnreadable, v.Unreadable, after.Unreadable)
	return c
}

// Changes returns what differs in after from w.
func (w Website) Changes(after Website, _ time.Time) []Changed {
	var c changes
	c.text(FieldLastReport, w.State, after.State)
	return c
}

// changes gathers what differs, field by field.
type changes []Changed

func (c *changes) text(field, before, after string) {
	if before != after {
		*c = append(*c, Changed{Field: field, Before: before, After: after})
	}
}

func (c *changes) time(field string, before, after *schema.Time) {
	c.text(field, timeValue(before), timeValue(after))
}

func (c *changes) list(added, removed string, before, after []string) {
	c.names(added, without(after, before))
	c.names(removed, without(before, after))
}

func (c *changes) names(field string, names []string) {
	if len(names) == 0 {
		return
	}
	shown := names[:min(len(names), namesListed)]
	*c = append(*c, Changed{Field: field, After: strings.Join(shown, ListSeparator), More: len(names) - len(shown)})
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

func timeValue(t *schema.Time) string {
	if t == nil {
		return ""
	}
	return t.String()
}

func dsText(ds *schema.DS) string {
	if ds == nil {
		return ""
	}
	return fmt.Sprintf("%d %d %d %s", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
}

func truth(b bool) string {
	if b {
		return True
	}
	return ""
}

func unanswered(b bool) string {
	if b {
		return Unanswered
	}
	return ""
}
