package web_test

import (
	"net/url"
	"testing"

	"github.com/certtrail/certtrail/projections"
)

// TestSearchLeadsToTheOneThing: the page of ours whose address was pasted, or else of the row whose number it is, though its certificate is found too.
func TestSearchLeadsToTheOneThing(t *testing.T) {
	s := &fakeStore{
		orders:       []projections.Order{{Provider: "digicert", ID: "771001", CommonName: "shop.example.com", State: "issued", Row: projections.Row{Timeline: []projections.TimelineEntry{}}}},
		certificates: []projections.Certificate{{Provider: "digicert", ID: "881001", OrderID: "771001", State: "active"}},
	}
	h := handler(t, options(s, &fakeLog{}))
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
		w := get(h, "/search?q="+url.QueryEscape(q))
		if status := map[bool]int{true: 200, false: 303}[want == ""]; w.Code != status || w.Header().Get("Location") != want {
			t.Errorf("%s leads to %d %q, want %q", q, w.Code, w.Header().Get("Location"), want)
		}
	}
}
