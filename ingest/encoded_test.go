package ingest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// keepsLast remembers, as a log, what it took last.
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

// plainBody decodes the body that e keeps in base64.
func plainBody(t *testing.T, e *schema.Event) string {
	d, err := provider.Redelivery(e.Data.Original, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(d.Body)
}

func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// otherUnicode encodes text in UTF-16 or, of four bytes, UTF-32.
func otherUnicode(text string, size int, order binary.AppendByteOrder) string {
	var b []byte
	if size == 4 {
		for _, r := range text {
			b = order.AppendUint32(b, uint32(r))
		}
		return string(b)
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// encoded answers a delivery of DigiCert with that body and those headers. It returns what was stored, headers and
// body, "" for nothing, and what was logged.
func encoded(t *testing.T, body string, headers map[string]string) (w *httptest.ResponseRecorder, s *Source, stored, logged string) {
	t.Helper()
	log, text := &keepsLast{}, &bytes.Buffer{}
	s = source(digicert.System, "digicert")
	h := New(Options{Sources: []*Source{s}, Log: log, Now: time.Now, Logger: slog.New(slog.NewTextHandler(text, nil))})
	r := httptest.NewRequest("POST", "/hooks/digicert", strings.NewReader(body))
	r.Header.Set("X-Webhook-Key", credential("webhook-key"))
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if log.last != nil {
		stored = wire(t, log.last) + plainBody(t, log.last)
	}
	if h.held.all != 0 || h.inFlight.all != 0 {
		t.Errorf("%d bytes and %d places are held after the answer", h.held.all, h.inFlight.all)
	}
	return w, s, stored, text.String()
}

const issuedCanary = `{"event":"certificate_issued","data":{"order_id":7,"password":"canary","note":"héllo 🔐"}}`

// TestEncodings: an encoded body is read, and redacted, like any other, and no larger than any other; of one that
// cannot be read nothing is kept.
func TestEncodings(t *testing.T) {
	issued, deflate := zipped(issuedCanary), deflated(issuedCanary)
	large := strings.Repeat(" ", DefaultMaxBody-2) + "{}"
	for name, c := range map[string]struct {
		encoding, body string
		status         int
	}{
		"whole":             {"gzip", issued, 200},
		"another name":      {"X-GZip", issued, 200},
		"zlib":              {"deflate", deflate, 200},
		"bare deflate":      {"deflate", deflate[2 : len(deflate)-4], 200},
		"twice":             {"gzip, gzip", zipped(issued), 200},
		"two":               {"deflate , , gzip", zipped(deflate), 200},
		"identity":          {"identity", issuedCanary, 200},
		"none":              {"", issuedCanary, 200},
		"four":              {"gzip,gzip,gzip,gzip", zipped(zipped(zipped(issued))), 200},
		"five":              {"gzip,gzip,gzip,gzip,gzip", zipped(zipped(zipped(zipped(issued)))), 415},
		"in another order":  {"gzip, deflate", zipped(deflate), 415},
		"half undone":       {"gzip", zipped(issued)[:40], 415},
		"cut off":           {"gzip", issued[:len(issued)-4], 415}, // of its checksum
		"broken":            {"gzip", issued[:len(issued)-14], 415},
		"deflate cut off":   {"deflate", deflate[:len(deflate)-3], 415},
		"something behind":  {"gzip", issued + "canary", 415},
		"behind deflate":    {"deflate", deflate + "canary", 415},
		"not":               {"gzip", issuedCanary, 415},
		"br":                {"br", issuedCanary, 415},
		"br inside":         {"br, gzip", issued, 415},
		"an odd name":       {"canary", issuedCanary, 415},
		"too large":         {"gzip", zipped(" " + large), 413},
		"too large inside":  {"gzip, gzip", zipped(zipped(" " + large)), 413},
		"too large deflate": {"deflate", deflated(" " + large), 413},
		"at most":           {"gzip", zipped(large), 200},
	} {
		w, s, stored, logged := encoded(t, c.body, map[string]string{"Content-Encoding": c.encoding})
		if w.Code != c.status || (stored == "") != (c.status != 200) {
			t.Errorf("%s: answered %d, want %d: %s; stored %.200q", name, w.Code, c.status, w.Body, stored)
		}
		if n := s.Counts().RefusedFor[RefusedEncoding]; n > 0 != (c.status == 415) {
			t.Errorf("%s: %d are counted as refused for their encoding", name, n)
		}
		if c.status != 200 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: answered %v", name, w.Header())
		}
		if strings.Contains(stored+logged+w.Body.String(), "canary") || strings.Contains(stored, "gzip") || strings.Contains(c.body, "7") && c.status == 200 && !strings.Contains(stored, `"order_id":"7"`) {
			t.Errorf("%s: stored %s\nlogged %s\nanswered %s", name, stored, logged, w.Body)
		}
	}
}

// TestOtherUnicode: a body in UTF-16 or UTF-32 is read, and redacted, where a mark or its Content-Type says so, or its
// first character shows it.
func TestOtherUnicode(t *testing.T) {
	for name, form := range map[string]struct {
		size  int
		order binary.AppendByteOrder
	}{"utf-16le": {2, binary.LittleEndian}, "utf-16be": {2, binary.BigEndian}, "utf-32le": {4, binary.LittleEndian}, "utf-32be": {4, binary.BigEndian}} {
		bare, marked := otherUnicode(issuedCanary, form.size, form.order), otherUnicode("\ufeff"+issuedCanary, form.size, form.order)
		for how, c := range map[string]struct{ body, contentType, encoding string }{
			"a mark":           {marked, "application/json", ""},
			"a mark in gzip":   {zipped(marked), "", "gzip"},
			"a charset":        {bare, "application/json; charset=" + strings.ToUpper(name), ""},
			"half a charset":   {bare, "application/json; charset=" + name[:6], ""},
			"both":             {marked, "application/json; charset=" + name[:6], ""},
			"the first letter": {bare, "application/json", ""},
		} {
			w, _, stored, _ := encoded(t, c.body, map[string]string{"Content-Type": c.contentType, "Content-Encoding": c.encoding})
			if w.Code != 200 || !strings.Contains(stored, `"order_id":"7"`) || !strings.Contains(stored, "héllo 🔐") || strings.Contains(stored, "canary") || strings.Contains(stored, "charset=utf-1") {
				t.Errorf("%s by %s: %d, stored %q", name, how, w.Code, stored)
			}
		}
		if w, _, stored, _ := encoded(t, marked+"\x00", nil); w.Code != 415 || stored != "" {
			t.Errorf("%s cut off: %d %s, stored %q", name, w.Code, w.Body, stored)
		}
		// "ࠀ" has three bytes in UTF-8, and two in UTF-16
		if w, _, _, _ := encoded(t, otherUnicode("\ufeff"+strings.Repeat("ࠀ", DefaultMaxBody/3+1), form.size, form.order), nil); w.Code != 413 {
			t.Errorf("%s too large: %d %s", name, w.Code, w.Body)
		}
	}
	for _, contentType := range []string{"application/json; charset=utf-16", "application/json; charset=iso-8859-1"} {
		if w, _, stored, _ := encoded(t, issuedCanary, map[string]string{"Content-Type": contentType}); w.Code != 200 || !strings.Contains(stored, `"order_id":"7"`) {
			t.Errorf("UTF-8 as %s: %d, stored %q", contentType, w.Code, stored)
		}
	}
	if w, _, stored, _ := encoded(t, "\x00\x01\x02\x03", nil); !strings.HasSuffix(stored, "\x00\x01\x02\x03") {
		t.Errorf("what is no text: %d, stored %q", w.Code, stored)
	}
}

// FuzzEncodings: whatever a body is, it is answered, and nothing of it is held afterwards; what is undone is no larger
// than what is taken.
func FuzzEncodings(f *testing.F) {
	for _, body := range []string{"", "{}", zipped("{}"), deflated("{}"), otherUnicode("\ufeff{}", 2, binary.LittleEndian), "\xff\xfe\x00\xd8", "\xff\xfe\x00\x00\xff\xff\xff\xff"} {
		for _, encoding := range []string{"", "gzip", "deflate", "gzip, deflate"} {
			f.Add([]byte(body), encoding, "application/json; charset=utf-16")
		}
	}
	f.Fuzz(func(t *testing.T, came []byte, encoding, contentType string) {
		held := newBound(1 << 30)
		b := &body{held: held, source: "x", max: 1 << 10}
		plain, err := b.plain(came, http.Header{"Content-Encoding": {encoding}, "Content-Type": {contentType}})
		if int64(len(plain)) > max(b.max, int64(len(came))) || err == nil && len(plain) > len(came) && !utf8.Valid(plain) && encoding == "" {
			t.Errorf("%d bytes became %d", len(came), len(plain))
		}
		if b.release(); held.all != 0 {
			t.Errorf("%d bytes are held", held.all)
		}
	})
}
