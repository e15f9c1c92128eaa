package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/web/answer"
)

// Starting serves the pages' address while the log is read, before there is anything to show. progress tells how many
// of the log's files have been read.
func Starting(progress func() (done, total int)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done, total := progress()
		said := fmt.Sprintf("certtrail is starting. It reads the log: %d of %d files.", done, total)
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		if r.URL.Path == "/healthz" {
			fmt.Fprintln(w, "ok")
			return
		}
		header.Set("Retry-After", "1")
		switch {
		case r.URL.Path == "/readyz":
			answer.JSON(w, http.StatusServiceUnavailable, map[string]any{"log": said})
		case strings.HasPrefix(r.URL.Path, "/api/"):
			answer.Problem(w, http.StatusServiceUnavailable, said)
		default:
			header.Set("Content-Type", "text/html; charset=utf-8")
			header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			header.Set("Refresh", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, startingPage, said)
		}
	})
}

// startingPage needs no other file: nothing else is served yet.
const startingPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>certtrail is starting</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem}</style></head>
<body><h1>Starting</h1><p role="status">%s</p><p>Deliveries wait, and are taken as soon as it has been read. This page then shows the orders.</p></body></html>
`
