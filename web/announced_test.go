package web_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/certtrail/certtrail/schema"
)

// doomed tells of an issued order with an older certificate and a last one, which ends in left days; 0: nothing but its
// number is known.
func doomed(left int) *story {
	w := &story{s: plain}
	about := schema.Data{OrderID: "330770003"}
	ordered, older, last := about, about, about
	ordered.Certificate = named("pay.example.com")
	w.say("sectigo", 21*day, schema.OrderDescribed, ordered)
	older.CertificateID, older.Certificate = "440880001", pay(180, 10)
	w.say("sectigo", 20*day+time.Hour, schema.OrderIssued, older)
	if last.CertificateID = "440880003"; left != 0 {
		last.Certificate = pay(20, left)
	}
	w.say("sectigo", 20*day, schema.OrderIssued, last)
	return w
}

// pay returns a certificate for pay.example.com that became valid since days ago and ends in left days.
func pay(since, left int) *schema.Certificate {
	return &schema.Certificate{CommonName: "pay.example.com", NotBefore: pago(time.Duration(since) * day), NotAfter: pago(-time.Duration(left) * day),
		FingerprintSHA256: fmt.Sprintf("%064x", left+1000)}
}

// followed adds the certificate's successor.
func (w *story) followed() *story {
	w.say("sectigo", day, schema.CertificateCollected, schema.Data{CertificateID: "440880009", Certificate: pay(1, 180)})
	return w
}

// announced adds that the CA will revoke the certificate, at a time from now if it says so.
func (w *story) announced(revokes *time.Duration) *story {
	d := schema.Data{CertificateID: "440880003", OrderID: "330770003", Reason: "keyCompromise"}
	if revokes != nil {
		d.RevokesAt = pago(-*revokes)
	}
	w.say("sectigo", time.Hour, schema.CertificateRevocationAnnounced, d)
	return w
}

// lastly adds what else is said of the certificate.
func (w *story) lastly(kind schema.Kind) *story {
	w.say("sectigo", time.Minute, kind, schema.Data{CertificateID: "440880003", OrderID: "330770003"})
	return w
}

// TestOrderOfACertificateThatEnds: what was installed long ago is to be renewed, or its successor installed.
func TestOrderOfACertificateThatEnds(t *testing.T) {
	for name, test := range map[string]struct {
		story *story
		want  string
	}{
		"in use":             {doomed(180), "Next: install it<"},
		"expiring":           {doomed(9), "Next: renew it<"},
		"expired":            {doomed(-1), "Next: renew it<"},
		"expiring, followed": {doomed(9).followed(), "Next: install its successor<"},
		"replaced":           {doomed(180).lastly(schema.CertificateReplaced), "Next: install it<"},
	} {
		h := handler(t, options(storeOf(t, test.story)))
		wantAll(t, name, get(h, "/orders/sectigo/330770003").Body.String(), []string{test.want})
		renew := strings.Contains(test.want, "renew")
		for _, path := range []string{"/orders", "/domains/pay.example.com"} {
			if list := get(h, path).Body.String(); strings.Contains(list, ">renew it<") != renew || strings.Contains(list, "install it<") == renew {
				t.Errorf("%s: %s does not say what its order's page says", name, path)
			}
		}
	}
}

// TestOrderWarnsOfARevocation: who opens the order of a certificate that the CA is about to revoke reads that first,
// and is not told to install it.
func TestOrderWarnsOfARevocation(t *testing.T) {
	soon, over := 22*time.Hour, -3*time.Hour
	const unit = `<a href="/certificates/sectigo/440880003"><code>440880003</code></a>`
	for name, test := range map[string]struct {
		story *story
		want  []string
		not   []string
	}{
		"to come": {doomed(180).announced(&soon), []string{"The CA will revoke certificate " + unit, ">in 22 h</time>, on 22 Nov 2026, 20:00:00 UTC.", "Reason given: <q>keyCompromise</q>",
			"Order a replacement, and install it wherever this one is in use before then.", "Next: replace it", `to be revoked <time`, "none yet"}, []string{"was due"}},
		"followed": {doomed(9).followed().announced(&soon), []string{"The CA will revoke certificate " + unit,
			`Its successor <a href="/certificates/sectigo/440880009"><code>440880009</code></a> has been issued`, "Next: install its successor", "Install its successor, certificate 440880009"}, []string{"Order a replacement"}},
		"without a time": {doomed(0).announced(nil), []string{"The CA will revoke certificate " + unit + ". Reason", "Next: replace it", `<span class="tone bad">to be revoked</span>`}, nil},
		"past due":       {doomed(180).announced(&over), []string{"The CA was due to revoke certificate " + unit, ">3 h ago</time>", "wherever this one is in use.", "revocation was due <time"}, []string{"before then"}},
		"revoked":        {doomed(180).announced(&over).lastly(schema.CertificateRevoked), []string{"440880003"}, []string{"was due", "to be revoked"}},
		"expired":        {doomed(-1).announced(&soon), []string{"440880003"}, []string{"was due", "to be revoked"}},
	} {
		h := handler(t, options(storeOf(t, test.story)))
		body := get(h, "/orders/sectigo/330770003").Body.String()
		wantAll(t, name, body, test.want)
		for _, not := range test.not {
			if strings.Contains(body, not) {
				t.Errorf("%s: the order's page says %q", name, not)
			}
		}
		warned := len(test.want) > 1
		if warned {
			wantInOrder(t, name+": parts", body, "</header>", `<p class="notice bad"`, `<ol class="steps"`)
		}
		installs, replaces := !warned && name != "expired" && name != "revoked", warned || name == "revoked"
		if strings.Contains(body, "Next: install it<") != installs {
			t.Errorf("%s: the order's page warns: %v, and says to install it all the same, or does not say so", name, warned)
		}
		if page := get(h, "/certificates/sectigo/440880003").Body.String(); strings.Contains(page, "The CA has announced that it will revoke this certificate") != warned {
			t.Errorf("%s: the certificate's page warns of a revocation that has come, or not of one to come: %v", name, warned)
		}
		for _, path := range []string{"/orders", "/domains/pay.example.com"} {
			if list := get(h, path).Body.String(); strings.Contains(list, "install it<") != installs || strings.Contains(list, ">replace it<") != replaces {
				t.Errorf("%s: %s says to install what is to be revoked, or not to install what is not: %v", name, path, warned)
			}
		}
		for _, path := range []string{"/certificates", "/domains/pay.example.com"} {
			lists := get(h, path).Body.String()
			if name == "without a time" && path != "/certificates" {
				continue // nothing but its number is known, so that no domain's page has it
			}
			if marked := strings.Contains(lists, "to be revoked") || strings.Contains(lists, "revocation was due"); marked != warned {
				t.Errorf("%s: %s marks the certificate as one to be revoked: %v, want %v", name, path, marked, warned)
			}
		}
	}
}

// TestARevocationIsInCalendarsAndDownloads: an announced revocation is a moment of its own beside the certificate's
// end, and a column.
func TestARevocationIsInCalendarsAndDownloads(t *testing.T) {
	soon, over := 22*time.Hour, -40*day
	w := &story{s: plain}
	for i, revokes := range []*time.Duration{&soon, nil, &over, &soon} {
		about := schema.Data{CertificateID: fmt.Sprint("440880003/", i), OrderID: "330770003"}
		collected, announced := about, about
		collected.Certificate = pay(20, 180+i)
		w.say("sectigo", 20*day, schema.CertificateCollected, collected)
		if announced.Reason = "keyCompromise"; revokes != nil {
			announced.RevokesAt = pago(-*revokes)
		}
		w.say("sectigo", time.Hour, schema.CertificateRevocationAnnounced, announced)
		if i == 3 {
			w.say("sectigo", time.Minute, schema.CertificateRevoked, about)
		}
	}
	o := options(storeOf(t, w))
	o.Calendar, o.URL = &secret{}, "https://certs.example.com/"
	h := handler(t, o)
	body := get(h, "/calendar.ics?token=SECRET0").Body.String()
	checkLines(t, body)
	feed, err := ics.ParseCalendar(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]*ics.VEvent{}
	for _, e := range feed.Events() {
		entries[e.Id()] = e
	}
	e := entries["revocations/sectigo/440880003/0@certtrail"]
	if e == nil || entries["certificates/sectigo/440880003/0@certtrail"] == nil || len(entries) != 4 { // one moment, and the ends of the three that are not revoked
		t.Fatalf("the entries are %v", slices.Sorted(maps.Keys(entries)))
	}
	if at, err := e.GetStartAt(); err != nil || !at.Equal(now.Add(soon)) {
		t.Errorf("it is at %s (%v), want %s", at, err, now.Add(soon))
	}
	about := e.GetProperty(ics.ComponentPropertyDescription).Value
	wantAll(t, "the entry", e.GetProperty(ics.ComponentPropertySummary).Value+about, []string{"Certificate to be revoked: pay.example.com", "on 22 Nov 2026, 20:00:00 UTC", "Sectigo certificate 440880003/0", "keyCompromise"})
	wantAll(t, "the download", get(h, "/certificates.csv").Body.String(), []string{",revocation_announced,revokes_at,reason,last_event_at\n", ",true,2026-11-22T20:00:00.000Z,keyCompromise,"})
}
