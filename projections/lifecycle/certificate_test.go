package lifecycle

import (
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// certificatePhases says which phase (the lines) each event (the columns) leads to: a later one is never taken back.
const certificatePhases = `
before    issued   collected announced replaced revoked
new       issued   issued    issued    replaced revoked
issued    issued   issued    issued    replaced revoked
announced issued   issued    issued    replaced revoked
replaced  replaced replaced  replaced  replaced revoked
revoked   revoked  revoked   revoked   revoked  revoked
`

func TestCertificatePhases(t *testing.T) {
	one := func(k schema.Kind) []*schema.Event {
		return []*schema.Event{made(k, schema.Data{CertificateID: "1"})}
	}
	column := map[string][]*schema.Event{
		"issued": one(schema.OrderIssued), "collected": one(schema.CertificateCollected),
		"announced": one(schema.CertificateRevocationAnnounced),
		"replaced":  one(schema.CertificateReplaced), "revoked": one(schema.CertificateRevoked),
	}
	before := map[string][]*schema.Event{"new": nil}
	for _, name := range []string{"issued", "announced", "replaced", "revoked"} {
		before[name] = column[name]
	}
	grid(t, certificatePhases, before, column, Certificate.Fold, func(c Certificate) string { return c.Phase })
}

// TestRevocations: when and why a certificate is revoked, or is going to be, as it was heard.
func TestRevocations(t *testing.T) {
	monday, friday := schema.At(began.AddDate(0, 0, 2)), schema.At(began.AddDate(0, 0, 6))
	announced := func(at *schema.Time, reason string) *schema.Event {
		return made(schema.CertificateRevocationAnnounced, schema.Data{CertificateID: "1", RevokesAt: at, Reason: reason})
	}
	revoked := func(reason string) *schema.Event {
		return made(schema.CertificateRevoked, schema.Data{CertificateID: "1", Reason: reason})
	}
	for name, c := range map[string]struct {
		events               []*schema.Event
		announced, revokedAt int // the event that says so first, by its place; -1: none does
		due                  *schema.Time
		reason               string
	}{
		"announced": {[]*schema.Event{announced(&monday, "key")}, 0, -1, &monday, "key"},
		"announced again": {[]*schema.Event{announced(&monday, "key"), announced(&monday, "key")}, 0, -1, &monday,
			"key"},
		"announced without a day": {[]*schema.Event{announced(nil, "")}, 0, -1, nil, ""},
		"the day follows":         {[]*schema.Event{announced(nil, ""), announced(&monday, "")}, 1, -1, &monday, ""},
		"another day":             {[]*schema.Event{announced(&monday, ""), announced(&friday, "")}, 1, -1, &friday, ""},
		"the day stays":           {[]*schema.Event{announced(&monday, ""), announced(nil, "")}, 0, -1, &monday, ""},
		"the reason stays":        {[]*schema.Event{announced(&monday, "key"), revoked("")}, 0, 1, &monday, "key"},
		"the last reason":         {[]*schema.Event{revoked("key"), revoked("superseded")}, -1, 0, nil, "superseded"},
		"announced late":          {[]*schema.Event{revoked("key"), announced(&monday, "")}, 1, 0, &monday, "key"},
		"replaced has no reason": {[]*schema.Event{made(schema.CertificateReplaced, schema.Data{CertificateID: "1",
			Reason: "why"})}, -1, -1, nil, ""},
	} {
		got := history(Certificate.Fold, c.events)
		at := func(i int) *schema.Time { t := schema.At(began.Add(time.Duration(i) * time.Minute)); return &t }
		for _, side := range []struct {
			what      string
			got, want *schema.Time
		}{{"announced", got.AnnouncedAt, at(c.announced)}, {"revoked", got.RevokedAt, at(c.revokedAt)}, {"due",
			got.RevokesAt, c.due}} {
			if side.want != nil && side.want.Before(began) {
				side.want = nil
			}
			if (side.got == nil) != (side.want == nil) || side.got != nil && *side.got != *side.want {
				t.Errorf("%s: %s at %v, want %v", name, side.what, side.got, side.want)
			}
		}
		if got.Announced != (c.announced >= 0) || got.Reason != c.reason {
			t.Errorf("%s: announced %v because of %q, want %v, %q", name, got.Announced, got.Reason, c.announced >= 0, c.reason)
		}
	}
}

// TestValidityCountsBothEnds: a day is 86,400 s, and the last second counts (Baseline Requirements 6.3.2).
func TestValidityCountsBothEnds(t *testing.T) {
	const day = 24 * time.Hour
	for lasts, want := range map[time.Duration]int{
		0: 1, day - 2*time.Second: 1, day - time.Second: 1, day: 2, 200*day - time.Second: 200, 200 * day: 201,
		47*day - time.Second: 47, -time.Second: 0,
	} {
		from, until := schema.At(began), schema.At(began.Add(lasts))
		c := Certificate{Cert: schema.Certificate{NotBefore: &from, NotAfter: &until}}
		if got := c.ValidityDays(); got != want {
			t.Errorf("from its first to its last second %s: %d days, want %d", lasts, got, want)
		}
		c.Cert.NotBefore = nil
		if got := c.ValidityDays(); got != 0 {
			t.Errorf("without a beginning it is valid for %d days", got)
		}
	}
}

// TestWhatWasReadStays: names alone do not take the place of a certificate that was read, and a later certificate does.
func TestWhatWasReadStays(t *testing.T) {
	read := func(print, name string) *schema.Event {
		return made(schema.CertificateCollected, schema.Data{CertificateID: "1",
			Certificate: &schema.Certificate{FingerprintSHA256: print, CommonName: name}})
	}
	bad := made(schema.OrderIssued, schema.Data{CertificateID: "1", Unreadable: []schema.Unreadable{{Part: "certificate",
		Reason: "cut off"}}})
	for name, c := range map[string]struct {
		events           []*schema.Event
		want, unreadable string
	}{
		"names":            {[]*schema.Event{read("", "a")}, "a", ""},
		"other names":      {[]*schema.Event{read("", "a"), read("", "b")}, "b", ""},
		"read":             {[]*schema.Event{read("", "a"), read("ab", "b")}, "b", ""},
		"read, then names": {[]*schema.Event{read("ab", "a"), read("", "b")}, "a", ""},
		"read again":       {[]*schema.Event{read("ab", "a"), read("cd", "b")}, "b", ""},
		"unreadable":       {[]*schema.Event{bad}, "", "certificate: cut off"},
		"unreadable, read": {[]*schema.Event{bad, read("ab", "a")}, "a", ""},
		"read, unreadable": {[]*schema.Event{read("ab", "a"), bad}, "a", "certificate: cut off"},
		"unreadable, silence": {[]*schema.Event{bad, made(schema.CertificateReplaced, schema.Data{CertificateID: "1"})},
			"", "certificate: cut off"},
		"another part is read": {[]*schema.Event{bad, made(schema.CertificateRevoked, schema.Data{CertificateID: "1",
			Unreadable: []schema.Unreadable{{Part: "revokes_at", Reason: "no time"}}})}, "", "certificate: cut off"},
	} {
		if got := history(Certificate.Fold, c.events); got.Cert.CommonName != c.want || got.Unreadable != c.unreadable {
			t.Errorf("%s: it is of %q, unreadable %q; want %q, %q", name, got.Cert.CommonName, got.Unreadable, c.want,
				c.unreadable)
		}
	}
}
