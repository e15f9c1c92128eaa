package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/web"
)

// TestOnlyOurOwnFormsAct sends a form as pages of ours, pages from elsewhere and programs would.
func TestOnlyOurOwnFormsAct(t *testing.T) {
	acted := 0
	h, err := web.Acting(options(&fakeStore{}, &fakeLog{}), func() { acted++ })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, cookie, field string
		headers             map[string]string
		want                int
	}{
		{"a page of ours", "s3cret", "s3cret", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 204},
		{"a browser that says no more than the origin", "s3cret", "s3cret", map[string]string{"Origin": "http://localhost"}, 204},
		{"a program that has read the page", "s3cret", "s3cret", nil, 204},
		{"a page from elsewhere", "s3cret", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://elsewhere.example"}, 403},
		{"a page from elsewhere that knows the secret", "s3cret", "s3cret", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"an old browser's page from elsewhere", "s3cret", "s3cret", map[string]string{"Origin": "http://elsewhere.example"}, 403},
		{"another port of this host", "s3cret", "s3cret", map[string]string{"Origin": "http://localhost:99"}, 403},
		{"no cookie", "", "s3cret", nil, 403},
		{"neither", "", "", nil, 403},
		{"another's secret", "s3cret", "other", nil, 403},
	} {
		before := acted
		r := httptest.NewRequest(http.MethodPost, "http://localhost/act", strings.NewReader(url.Values{"form_token": {c.field}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "certtrail_form", Value: c.cookie})
		}
		for k, v := range c.headers {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || acted-before != map[int]int{204: 1}[c.want] {
			t.Errorf("%s: %d, acted %d times", c.name, w.Code, acted-before)
		}
	}
}
