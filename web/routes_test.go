package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/web"
)

// TestRoutes walks the table of routes: each has a role and answers, one of GET answers HEAD alike, and other methods
// are refused with what it takes.
func TestRoutes(t *testing.T) {
	o := options(world(t, plain))
	o.Calendar, o.TestDelivery = &secret{}, func(context.Context, string) error { return nil }
	o.Decide = func(context.Context, web.Decision) error { return nil }
	table, err := web.Routes(o)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, o)
	example := strings.NewReplacer("orders/{provider}/{id}", "orders/xolphin/960770001", "certificates/{provider}/{id}", "certificates/xolphin/881002",
		"{name}", "shop.example.com", "{provider}/{website_id}", "sectigo/42", "organizations/{provider}/{id}", "organizations/digicert/5002",
		"websites/{provider}/{id}", "websites/sectigo/42", "users/{provider}/{id}", "users/defguard/"+ada, "targets/{provider}/{id}", "targets/probely/t2",
		"scans/{provider}/{id}", "scans/probely/s1", "findings/{provider}/{id}", "findings/probely/t1:1", "{seq}", "1", "{file}", "none.css",
		"calendar.ics", "calendar.ics?token=SECRET0")
	status := map[string]int{"/attention": 303, "/static/{file}": 404} // of GET, where it is not 200
	accepted := map[string][]string{}
	for _, route := range table {
		accepted[route.Path] = append(accepted[route.Path], route.Method)
	}
	for _, route := range table {
		url := "http://localhost:8080" + example.Replace(route.Path)
		if route.Role == "" {
			t.Errorf("%s %s is for nobody", route.Method, route.Path)
		}
		switch route.Method {
		case http.MethodGet:
			want := 200
			if other := status[route.Path]; other != 0 {
				want = other
			}
			if route.Path != "/api/v1/live" { // which does not end
				if w := request(h, route.Method, url); w.Code != want {
					t.Errorf("GET %s: status %d, want %d", url, w.Code, want)
				}
			}
			if w := request(h, http.MethodHead, url); w.Code != want {
				t.Errorf("HEAD %s: status %d, want %d", url, w.Code, want)
			}
		case http.MethodPost:
			w := httptest.NewRecorder()
			r := httptest.NewRequest(route.Method, url, nil)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
				t.Errorf("POST %s from another site: status %d", url, w.Code)
			}
		default:
			t.Errorf("%s %s: pages and programs know no such method", route.Method, route.Path)
		}
		allowed := strings.Join(accepted[route.Path], ", ")
		if i := slices.Index(accepted[route.Path], http.MethodGet); i >= 0 {
			allowed = strings.Replace(allowed, "GET", "GET, HEAD", 1)
		}
		for _, method := range []string{http.MethodDelete, http.MethodPut, "BREW"} {
			if w := request(h, method, url); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allowed {
				t.Errorf("%s %s: status %d, Allow %q, want %q", method, url, w.Code, w.Header().Get("Allow"), allowed)
			}
		}
	}
}
