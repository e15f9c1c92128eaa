package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/schema"
)

// keepsLast is a log that remembers what it took last.
type keepsLast struct{ last *schema.Event }

func (l *keepsLast) Append(_ context.Context, e *schema.Event) (uint64, error) {
	l.last = e
	return 1, nil
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// plainBody is the body that e keeps in base64.
func plainBody(t *testing.T, e *schema.Event) string {
	d, err := e.Data.Original.Redelivery("")
	if err != nil {
		t.Fatal(err)
	}
	return string(d.Body)
}

// TestGzip: a compressed body is read, and redacted, like any other, and no larger than any other.
func TestGzip(t *testing.T) {
	issued := zipped(`{"event":"certificate_issued","data":{"order_id":7,"password":"canary"}}`)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"whole":     {issued, 200},
		"cut off":   {issued[:len(issued)-4], 200}, // of its checksum
		"broken":    {issued[:len(issued)-14], 400},
		"not":       {"{}", 200},
		"too large": {zipped(strings.Repeat(" ", DefaultMaxBody+1)), 413},
		"at most":   {zipped(strings.Repeat(" ", DefaultMaxBody-2) + "{}"), 200},
	} {
		log := &keepsLast{}
		s := source(digicert.System, "digicert")
		h := New(Options{Sources: []*Source{s}, Log: log, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		r := httptest.NewRequest("POST", "/hooks/digicert", strings.NewReader(c.body))
		r.Header.Set("X-Webhook-Key", credential("webhook-key"))
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("%s: answered %d, want %d: %s", name, w.Code, c.status, w.Body)
		}
		if log.last == nil {
			continue
		}
		text := wire(t, log.last) + plainBody(t, log.last)
		if strings.Contains(text, "canary") || strings.Contains(text, "gzip") || name == "whole" && log.last.Data.OrderID != "7" {
			t.Errorf("%s: stored: %s", name, text)
		}
	}
}
