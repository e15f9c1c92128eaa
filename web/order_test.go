package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// stuckOrder tells of an order with something to say in every part of its page.
func stuckOrder(id string, names ...string) *story {
	w := &story{s: plain}
	about, names := schema.Data{OrderID: id}, append([]string{"shop.example.com", "www.shop.example.com", "*.other.example"}, names...)
	issued := func(certificate string, since, left int, names ...string) schema.Data {
		d := about
		d.CertificateID, d.Certificate = certificate, named(names[0], names...)
		d.Certificate.NotBefore, d.Certificate.NotAfter = pago(time.Duration(since)*day), pago(-time.Duration(left)*day)
		return d
	}
	w.say("digicert", 380*day, schema.OrderIssued, issued("881949", 380, -3, "shop.example.com"))
	other := issued("9001", 100, 200, "shop.example.com")
	other.OrderID = ""
	w.say("xolphin", 100*day, schema.CertificateCollected, other)
	w.say("digicert", 188*day, schema.OrderIssued, issued("881950", 188, 12, names...))
	w.say("digicert", 71*time.Hour, schema.OrderReissueReady, about)
	check := func(age time.Duration, kind schema.Kind, check string, state schema.CheckState, reason string) {
		d := about
		d.Check, d.CheckState, d.Reason = check, state, reason
		w.say("digicert", age, kind, d)
	}
	check(70*time.Hour, schema.OrderUpdated, schema.CheckCSR, schema.CheckPassed, "")
	check(60*time.Hour, schema.OrderUpdated, schema.DomainCheck("shop.example.com"), schema.CheckPassed, "")
	check(52*time.Hour, schema.OrderCheckFailed, schema.CheckOrganization, schema.CheckFailed, "Not listed at the given address")
	check(49*time.Hour+10*time.Minute, schema.OrderUpdated, schema.DomainCheck("*.other.example"), schema.CheckPending, "")
	check(26*time.Hour, schema.OrderCheckDelayed, schema.CheckPhone, schema.CheckDelayed, "")
	w.say("digicert", 3*time.Hour, schema.OrderMessageReceived, about)
	w.say("digicert", 9*day, schema.DomainValidated, schema.Data{Domain: "other.example", ExpiresAt: pago(3 * day)})
	w.say("digicert", 3*day, schema.DomainExpired, schema.Data{Domain: "other.example"})
	w.say("digicert", 8*day, schema.DomainValidated, schema.Data{Domain: "shop.example.com", ExpiresAt: pago(-191 * day)})
	return w
}

func TestOrderSaysWhatBlocksIt(t *testing.T) {
	s, l := storeOf(t, stuckOrder("771950"))
	body := get(handler(t, options(s, l)), "/orders/digicert/771950").Body.String()
	wantAll(t, "the order", body, []string{
		`>for <time datetime="2026-11-19T18:00:00.000Z" title="19 Nov 2026, 18:00:00 UTC" data-lasting>2 d 4 h</time>`,                    // in its state
		`<a href="#check-organization">Organization</a>`, `<a href="#domains">Domains</a> <span>1 of 3</span>`, `id="check-organization"`, // the steps lead to what is said of them
		"The CA’s words: <q>Not listed at the given address</q>", "19 Nov 2026, 18:00:00 UTC", ">1 d 2 h</time>", "The validation call was postponed", "What comes next",
		"Message from the CA", ">3 h</time>", "Read it in the CA’s console",
		`<span class="ok">validated</span> until <time datetime="2027-05-31T22:00:00.000Z"`, "(in 191 d)",
		`by <a href="/domains/shop.example.com">shop.example.com</a>, <span class="ok">validated</span>`, // www is covered by the name above it
		`by <a href="/domains/other.example">other.example</a>, <span class="bad">expired</span>`, `<span class="muted">2 d 1 h</span>`,
		`data-watch="domains/digicert/other.example"`,
		`→ <a href="/certificates/xolphin/9001"><code>Xolphin 9001</code></a> issued`, "none yet", `<span class="muted span">in 12 d</span>`, "latest",
	})
	wantInOrder(t, "steps", body[strings.Index(body, `<ol class="steps"`):], "Ordered", "CSR", ">Organization</a>", ">Domains</a>", ">Phone</a>", ">Issued<")
	wantInOrder(t, "blockers", body, `id="check-organization"`, `id="check-message"`, `id="check-phone"`, `id="check-domain:*.other.example"`)
	wantInOrder(t, "domains, those that wait first", body, `data-key="domain-*.other.example"`, `data-key="domain-shop.example.com"`)
}

func wantInOrder(t *testing.T, what, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, after, found := strings.Cut(body, text)
		if !found {
			t.Errorf("the %s lack %s, or it comes too early", what, text)
			return
		}
		body = after
	}
}

func TestManyNamesOfAnOrderStaySmall(t *testing.T) {
	var names []string
	for i := range 400 {
		names = append(names, strings.Repeat("a", 40)+numberOf(i)+".example.com")
	}
	s, l := storeOf(t, stuckOrder("771950", names...))
	w := get(handler(t, options(s, l)), "/orders/digicert/771950")
	wantAll(t, "the order", w.Body.String(), []string{"and 343 more", "1 of 403"})
	if w.Body.Len() > 100_000 || !strings.Contains(w.Body.String(), `data-key="domain-*.other.example"`) {
		t.Errorf("the page weighs %d bytes, or hides what waits", w.Body.Len())
	}
}

func numberOf(i int) string {
	return strings.Repeat("b", i%20) + string(rune('a'+i%26)) + string(rune('a'+i/26))
}

// TestRenewal: a certificate's page says when to renew, within which limit, and what has followed it.
func TestRenewal(t *testing.T) {
	w := &story{s: plain}
	certificate := func(id string, left int) {
		c := named(id[:4] + ".example")
		c.NotBefore, c.NotAfter = pago(time.Duration(200-left)*day), pago(-time.Duration(left)*day)
		w.say("digicert", 20*day, schema.CertificateCollected, schema.Data{CertificateID: id, Certificate: c})
	}
	certificate("early", 180)
	certificate("late", 27)
	certificate("followed", 27)
	heir := named("foll.example")
	heir.NotBefore, heir.NotAfter = pago(day), pago(-180*day)
	w.say("digicert", day, schema.CertificateCollected, schema.Data{CertificateID: "next", Certificate: heir})
	certificate("revoked", 180)
	w.say("digicert", day, schema.CertificateRevoked, schema.Data{CertificateID: "revoked"})
	o := options(storeOf(t, w))
	h := handler(t, o)
	for id, want := range map[string][]string{
		"early":    {"The renewal should begin on", "20 Apr 2027", "in 150 days", "may be valid for 100 days at most", "<b>200 days</b> now", "<b>100 days</b> from 15 Mar 2027", "in 114 days"},
		"late":     {"Renew it now:", "18 Nov 2026", "may be valid for 200 days at most"},
		"followed": {`Its successor <a href="/certificates/digicert/next"><code>next</code></a> has been issued`},
		"revoked":  {"No newer certificate for the same names is known."},
	} {
		wantAll(t, id, get(h, "/certificates/digicert/"+id).Body.String(), want)
	}
}

// TestRefusedZones: where the DS records at the parent match no key of the zone, the pages of the rotation and of the
// domain say what CAs do about that.
func TestRefusedZones(t *testing.T) {
	s, l := world(t, plain)
	o := options(s, l)
	refused := true
	o.Delegation = func(d *projections.DNSSEC) (web.Delegation, bool) {
		return web.Delegation{At: ago(time.Hour), Said: "The parent has DS 11042.", Refused: refused}, d.Domain == "zone.example.com"
	}
	h := handler(t, o)
	const sentence = "The DS records of zone.example.com match none of the zone’s keys, so CAs refuse to issue for it"
	for _, path := range []string{"/dnssec/sectigo/42", "/domains/zone.example.com"} {
		wantAll(t, path, get(h, path).Body.String(), []string{sentence, "Publish its new DS record in the parent zone", "The parent has DS 11042."})
	}
	for _, path := range []string{"/dnssec/sectigo/43", "/domains/old.example.net", "/dnssec/sectigo/42?at=2026-11-21T21:00:00Z", "/domains/zone.example.com?at=2026-11-21T21:00:00Z"} {
		if w := get(h, path); w.Code != 200 || strings.Contains(w.Body.String(), "CAs will refuse") {
			t.Errorf("%s: status %d, or it says what is not so, or was not then", path, w.Code)
		}
	}
	refused = false
	for _, path := range []string{"/dnssec/sectigo/42", "/domains/zone.example.com"} {
		if body := get(h, path).Body.String(); strings.Contains(body, "CAs will refuse") {
			t.Errorf("%s says that CAs refuse", path)
		}
	}
	wantAll(t, "the parent's words", get(h, "/dnssec/sectigo/42").Body.String(), []string{"At the parent zone", "The parent has DS 11042.", "Field by field", "ECDSA P-256 with SHA-256", "SHA-256"})
}

// TestDomainOfManyOrders shows the first of a name's orders, how many there are, and the way to the rest.
func TestDomainOfManyOrders(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	few := get(h, "/domains/shop.example.com").Body.String()
	if strings.Contains(few, "of it and of names below it") {
		t.Error("a name with few orders has the way to more")
	}
	w := &story{s: plain}
	for i := range 100 {
		w.say("digicert", day, schema.OrderDescribed, schema.Data{OrderID: fmt.Sprint(900000 + i), Certificate: named("shop.example.com", "www.shop.example.com", "*.other.example")})
	}
	record(t, s, l, w)
	body := get(h, "/domains/shop.example.com").Body.String()
	if n := strings.Count(body, `<tr data-row="orders/`); n != 20 {
		t.Errorf("the page shows %d orders, want 20", n)
	}
	if len(body) > 60_000 {
		t.Errorf("the page is %d bytes", len(body))
	}
	wantAll(t, "the domain", body, []string{`<a href="/orders?q=shop.example.com">All orders for it and the names below it</a>`})
}
