package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/web"
)

// sendForm sends a form as whoever sets those headers does.
func sendForm(h http.Handler, path string, form url.Values, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// postForm sends a form of a page of ours, as a browser does.
func postForm(h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	return sendForm(h, path, form, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"})
}

// TestNoOtherSiteActs sends a form as pages of ours, pages from elsewhere and programs would.
func TestNoOtherSiteActs(t *testing.T) {
	acted := 0
	h, err := web.Acting(options(empty(t)), func() { acted++ })
	if err != nil {
		t.Fatal(err)
	}
	small, large := url.Values{"a": {"b"}}, url.Values{"a": {strings.Repeat("b", 64<<10)}}
	for _, c := range []struct {
		name    string
		form    url.Values
		headers map[string]string
		want    int
	}{
		{"a page of ours", small, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"}, 204},
		{"a person who opens the address", small, map[string]string{"Sec-Fetch-Site": "none"}, 204},
		{"a browser that says no more than the origin", small, map[string]string{"Origin": "http://localhost:8080"}, 204},
		{"a program", small, nil, 204},
		{"a program with a cookie of ours", small, map[string]string{"Cookie": "certtrail_form=s3cret"}, 204},
		{"a page from elsewhere", small, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://elsewhere.example"}, 403},
		{"a page from elsewhere with an origin like ours", small, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"}, 403},
		{"a page from elsewhere that hides its origin", small, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403},
		{"a page of another host below the same name", small, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost:8080"}, 403},
		{"an old browser's page from elsewhere", small, map[string]string{"Origin": "http://elsewhere.example"}, 403},
		{"an old browser's page that hides its origin", small, map[string]string{"Origin": "null"}, 403},
		{"another port of this host", small, map[string]string{"Origin": "http://localhost:99"}, 403},
		{"a form that is too large", large, map[string]string{"Sec-Fetch-Site": "same-origin"}, 400},
	} {
		before := acted
		w := sendForm(h, "/act", c.form, c.headers)
		if w.Code != c.want || acted-before != map[int]int{204: 1}[c.want] {
			t.Errorf("%s: %d, acted %d times", c.name, w.Code, acted-before)
		}
	}
}

// TestPagesSetNoCookie: nothing is kept in a browser.
func TestPagesSetNoCookie(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for _, path := range append(pagesOfLists, "/", "/events", "/system", "/expiry") {
		if w := get(h, path); len(w.Result().Cookies()) > 0 {
			t.Errorf("%s sets %v", path, w.Result().Cookies())
		}
	}
}
