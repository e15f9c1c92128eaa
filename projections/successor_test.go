package projections

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestSuccessors: what takes a certificate's place is the newest for the same names from whichever CA, and nothing
// else.
func TestSuccessors(t *testing.T) {
	l := newMemoryLog()
	n := 0
	issue := func(provider, id string, from int, names ...string) {
		n++
		c := &schema.Certificate{SerialNumber: provider + id, DNSNames: names}
		if from != 0 {
			begin, end := schema.At(began.AddDate(0, 0, from)), schema.At(began.AddDate(0, 0, from+90))
			c.NotBefore, c.NotAfter = &begin, &end
		}
		l.append(event(n, schema.OrderIssued, schema.Data{Provider: provider, OrderID: id, CertificateID: id, Certificate: c}))
	}
	issue("digicert", "old", -60, "www.example.com", "example.com")
	issue("digicert", "more", -30, "www.example.com", "example.com", "a.example.com")
	issue("xolphin", "middle", -20, "example.com", "WWW.example.com.")
	issue("sectigo", "new", -10, "example.com", "www.example.com", "example.com")
	issue("sectigo", "revoked", -5, "example.com", "www.example.com")
	issue("digicert", "idn", -60, "bücher.example")
	issue("digicert", "idn2", 0, "xn--bcher-kva.example")
	issue("digicert", "nameless", -60)
	issue("digicert", "nameless2", -50)
	n++
	l.append(event(n, schema.CertificateRevoked, schema.Data{Provider: "sectigo", CertificateID: "revoked"}))
	told := event(n+1, schema.OrderIssued, schema.Data{Provider: "xolphin", OrderID: "twin", CertificateID: "twin", Certificate: &schema.Certificate{SerialNumber: "sectigonew", DNSNames: []string{"example.com", "www.example.com"}}})
	l.append(told)
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)

	want := map[string]string{"old": "xolphin twin", "middle": "xolphin twin", "revoked": "xolphin twin", "idn": "digicert idn2"}
	ctx, now := context.Background(), began.Add(time.Hour)
	items, _, err := List(ctx, s, Certificates, Query{Now: now})
	if err != nil || len(items) != 10 {
		t.Fatalf("%d certificates: %v", len(items), err)
	}
	for _, listed := range items {
		one, err := One(ctx, s, Certificates, listed.Provider, listed.ID, Moment{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for place, c := range map[string]*Certificate{"listed": &listed, "alone": one} {
			if got := successorText(c); got != want[c.ID] {
				t.Errorf("%s: the successor of %s is %q, want %q", place, c.ID, got, want[c.ID])
			}
		}
	}
	domain, err := s.Domain(ctx, "www.example.com", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range domain.Certificates {
		if got := successorText(&c); got != want[c.ID] {
			t.Errorf("on the domain's page the successor of %s is %q, want %q", c.ID, got, want[c.ID])
		}
	}
	// As of then: what came later, and what became of a certificate later, takes no place yet.
	for seq, want := range map[uint64]string{1: "", 2: "", 3: "xolphin middle", 4: "sectigo new", 5: "sectigo revoked", 9: "sectigo revoked", 10: "sectigo new", 11: "xolphin twin"} {
		c, err := One(ctx, s, Certificates, "digicert", "old", Moment{Seq: seq, Now: now})
		if err != nil || successorText(c) != want {
			t.Errorf("as of event %d the successor is %q (%v), want %q", seq, successorText(c), err, want)
		}
	}
}

func successorText(c *Certificate) string {
	if c == nil || c.Successor == nil {
		return ""
	}
	return c.Successor.Provider + " " + c.Successor.ID
}

// TestNameSet: the same names have the same key however they are written, and others have another.
func TestNameSet(t *testing.T) {
	set := func(cn string, names ...string) string {
		return lifecycle.Certificate{Cert: schema.Certificate{CommonName: cn, DNSNames: names}}.NameSet()
	}
	want := set("a.example", "a.example", "xn--bcher-kva.example", "*.b.example")
	for _, same := range [][]string{{"", "*.b.example", "a.example", "xn--bcher-kva.example"}, {"Bücher.example", "A.EXAMPLE.", "*.B.example"}} {
		if got := set(same[0], same[1:]...); got != want || got == "" {
			t.Errorf("%q has the key %s, want %s", same, got, want)
		}
	}
	for _, other := range [][]string{{"", "a.example", "xn--bcher-kva.example", "b.example"}, {"", "a.example"}, {""}, {"Example Corp."}} {
		if set(other[0], other[1:]...) == want {
			t.Errorf("%q has the same key", other)
		}
	}
	if set("") != "" {
		t.Error("no names have a key")
	}
}

// TestSuccessorIsFoundByIndex: neither one certificate nor a page of them goes through the table.
func TestSuccessorIsFoundByIndex(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(7, 3000)))
	caughtUp(t, s)
	for _, step := range planOf(t, s, "SELECT * FROM certificates c CROSS JOIN certificates s ON (s.provider, s.id) = (SELECT n.provider, n.id FROM certificates n WHERE "+newer+
		" ORDER BY n.issued_at DESC, n.first_event_at DESC, n.provider, n.id LIMIT 1) WHERE c.provider = 'a' AND c.id = 'b'") {
		if strings.HasPrefix(step, "SCAN") {
			t.Errorf("it is read whole: %s", step)
		}
	}
}

// TestFates: of the certificates asked about, those that the CA is to revoke, and those that end without a newer one.
func TestFates(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(k schema.Kind, provider, id string, days int) {
		n++
		d := schema.Data{Provider: provider, OrderID: id, CertificateID: id}
		if days != 0 {
			from, to := schema.At(began.AddDate(0, 0, days-100)), schema.At(began.AddDate(0, 0, days))
			d.Certificate = &schema.Certificate{NotBefore: &from, NotAfter: &to}
			if id == "followed" || id == "heir" {
				d.Certificate.DNSNames = []string{"a.example"}
			}
		}
		l.append(event(n, k, d))
	}
	var of []CertificateRef
	for id, days := range map[string]int{"active": 60, "no end known": 0, "expired": -1, "revoked": 60} {
		of = append(of, CertificateRef{"sectigo", id})
		say(schema.OrderIssued, "sectigo", id, days)
		say(schema.CertificateRevocationAnnounced, "sectigo", id, 0)
	}
	for id, days := range map[string]int{"not announced": 60, "expiring": 20, "followed": 20, "heir": 90, "over": -1} {
		of = append(of, CertificateRef{"sectigo", id})
		say(schema.OrderIssued, "sectigo", id, days)
	}
	say(schema.CertificateRevoked, "sectigo", "revoked", 0)
	say(schema.CertificateRevocationAnnounced, "sectigo", "not asked", 0)
	say(schema.CertificateRevocationAnnounced, "digicert", "not announced", 0)
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	got, err := s.Fates(t.Context(), of, began)
	want := map[CertificateRef]Fate{{"sectigo", "active"}: ToBeRevoked, {"sectigo", "no end known"}: ToBeRevoked,
		{"sectigo", "expired"}: ToBeRenewed, {"sectigo", "expiring"}: ToBeRenewed, {"sectigo", "over"}: ToBeRenewed}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
	for i := range of { // as each one says of itself
		c, err := One(t.Context(), s, Certificates, of[i].Provider, of[i].ID, Moment{Now: began})
		if err != nil || c.Fate() != got[of[i]] {
			t.Errorf("%v: %v (%v), want %v", of[i], c, err, got[of[i]])
		}
	}
}
