package ingest

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddr(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		peer   string
		header http.Header
		want   string
	}{
		"no proxy":                   {"192.0.2.1:1", nil, "192.0.2.1"},
		"a stranger's header":        {"192.0.2.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}}, "192.0.2.1"},
		"one proxy":                  {"127.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}}, "203.0.113.9"},
		"two proxies":                {"127.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9, 10.1.1.1"}}, "203.0.113.9"},
		"a lie before the proxy":     {"127.0.0.1:1", http.Header{"X-Forwarded-For": {"1.1.1.1, 203.0.113.9"}}, "203.0.113.9"},
		"Forwarded":                  {"127.0.0.1:1", http.Header{"Forwarded": {`for="[2001:db8::1]:4711";proto=https, for=10.1.1.1`}}, "2001:db8::1"},
		"both, and they agree":       {"127.0.0.1:1", http.Header{"Forwarded": {"for=203.0.113.1"}, "X-Forwarded-For": {"1.1.1.1, 203.0.113.1"}}, "203.0.113.1"},
		"a lie in the other header":  {"127.0.0.1:1", http.Header{"Forwarded": {"for=1.1.1.1"}, "X-Forwarded-For": {"203.0.113.2"}}, ""},
		"an empty Forwarded":         {"127.0.0.1:1", http.Header{"Forwarded": {"proto=https"}, "X-Forwarded-For": {"203.0.113.2"}}, "203.0.113.2"},
		"not an address":             {"127.0.0.1:1", http.Header{"X-Forwarded-For": {"unknown"}}, ""},
		"the proxy itself":           {"127.0.0.1:1", nil, "127.0.0.1"},
		"an IPv4 address within six": {"[::ffff:192.0.2.1]:1", nil, "192.0.2.1"},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr, r.Header = c.peer, c.header
		got, err := clientAddr(r, trusted)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %s, want an error", name, got)
			}
		} else if err != nil || got.String() != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
}
