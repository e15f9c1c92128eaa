package web

import (
	"net"
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/web/answer"
)

// policy lets a page load its own styles, scripts and images and talk to its own server; nothing inline, nothing from
// elsewhere, no frames.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard sets the headers that every answer bears, and turns away requests for hosts that are not ours: a page from
// elsewhere whose name was pointed at this address (DNS rebinding) would otherwise read everything with its visitor's
// browser.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !s.hosts[hostName(r.Host)] {
			answer.Problem(w, http.StatusMisdirectedRequest, "This server does not answer to the host name of this request; "+
				"open it by the address it printed when it started, or set web-url to the one it should have.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns a Host header's name alone: no port, no brackets, no final dot, lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
