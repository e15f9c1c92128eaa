package web_test

import (
	"net/url"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestSearchLeadsToTheOneThing: the page of ours whose address was pasted, or else of the row whose number it is,
// though its certificate is found too.
func TestSearchLeadsToTheOneThing(t *testing.T) {
	w := &story{s: plain}
	w.say("digicert", day, schema.OrderIssued, schema.Data{OrderID: "771001", CertificateID: "881001", Certificate: named("shop.example.com")})
	h := handler(t, options(storeOf(t, w)))
	for q, want := range map[string]string{
		"http://localhost/orders/digicert/771001":             "/orders/digicert/771001",
		"https://LOCALHOST.:8443/certificates/digicert/a%2Fb": "/certificates/digicert/a%2Fb",
		"localhost:8080/domains/shop.example.com":             "/domains/shop.example.com",
		" http://localhost/orders/digicert/771001?at_seq=4 ":  "/orders/digicert/771001?at_seq=4",
		"http://localhost//elsewhere.example/":                "/",
		`http://localhost/\elsewhere.example`:                 "/%5Celsewhere.example",
		"https://www.digicert.com/secure/orders/771001":       "/orders/digicert/771001",
		"https://www.digicert.com/secure/orders/771001/#top":  "/orders/digicert/771001",
		"digicert 771001":            "/orders/digicert/771001",
		"digicert/881001":            "/certificates/digicert/881001",
		"#771001":                    "/orders/digicert/771001",
		"CN=shop.example.com":        "/domains/shop.example.com",
		"http://localhost/":          "",
		"http://elsewhere.example/x": "",
	} {
		answer := get(h, "/search?q="+url.QueryEscape(q))
		if status := map[bool]int{true: 200, false: 303}[want == ""]; answer.Code != status || answer.Header().Get("Location") != want {
			t.Errorf("%s leads to %d %q, want %q", q, answer.Code, answer.Header().Get("Location"), want)
		}
	}
}
