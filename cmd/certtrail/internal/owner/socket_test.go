package owner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func TestSocket(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long", 40), strings.Repeat("path", 40))} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		stale, err := Listen(dir) // as if its process had been killed
		if err != nil {
			t.Fatal(err)
		}
		stale.l.Close()
		if _, _, err := Find(context.Background(), dir); !errors.Is(err, ErrNoOwner) {
			t.Errorf("a stale socket is taken for an owner: %v", err)
		}
		s, err := Listen(dir)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, SocketName))
		if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
			t.Errorf("the socket: %v, %v", info.Mode(), err)
		}
		routes := map[string]Work{"GET /owner": func(context.Context, *Answer, *http.Request) (any, error) { return About{Process: os.Getpid()}, nil }}
		s.Serve(Handler(routes), func(err error) { t.Error(err) })
		c, who, err := Find(context.Background(), dir)
		if err != nil || who.Process != os.Getpid() || who.Serving {
			t.Fatalf("the owner: %+v, %v", who, err)
		}
		if err := c.Call(context.Background(), http.MethodGet, "/nothing", nil, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "another version of certtrail") {
			t.Errorf("a route that is not there: %v", err)
		}
		c.Close()
		s.Stop()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("%v is left, %v", entries, err)
		}
	}
}

// TestBrokenAnswer sees that an answer that ends without its last line is an error, however whole it looks.
func TestBrokenAnswer(t *testing.T) {
	dir := t.TempDir()
	s, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	s.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"seq":1,"subject":"certs.order.issued.digicert.1","event":{"id":"1"}}`+"\n")
		switch r.URL.Path {
		case "/killed":
			w.(http.Flusher).Flush()
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		case "/error":
			io.WriteString(w, `{"error":"it went wrong"}`+"\n")
		}
	}), func(err error) { t.Error(err) })
	c := Connect(dir)
	defer c.Close()
	for path, want := range map[string]string{"/ended": "ended in the middle", "/killed": "ended in the middle", "/error": "it went wrong"} {
		lines := 0
		err := c.Call(context.Background(), http.MethodGet, path, nil, nil, func([]byte) error { lines++; return nil }, nil)
		if err == nil || !strings.Contains(err.Error(), want) || lines != 1 {
			t.Errorf("%s: %d lines, %v", path, lines, err)
		}
	}
}

// TestEventsOnLines writes events that are hard to put on a line and reads them back.
func TestEventsOnLines(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{`{"id":"1"}`, `{"id":"1"}`},
		{"{\n \"id\": \"a\\nb\"\n}\n", `{"id":"a\nb"}`},
		{`{"id":"<&>","x":"\",\"event\":","event":"}"}`, `{"id":"<&>","x":"\",\"event\":","event":"}"}`},
	} {
		var b bytes.Buffer
		a := &Answer{w: bufio.NewWriter(&b)}
		if err := errors.Join(a.Event(&schema.Record{Seq: 7, Subject: "certs.order.issued.digicert.%7B1", Data: []byte(c.data)}), a.w.Flush()); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		got, err := ReadStreamed([]byte(line))
		if err != nil || got.Seq != 7 || got.Subject != "certs.order.issued.digicert.%7B1" || string(got.Data) != c.want || !json.Valid([]byte(line)) || strings.Contains(line, "\n") {
			t.Errorf("%q became %q: %+v, %v", c.data, line, got, err)
		}
	}
	for _, bad := range []string{``, `{"seq":1}`, `{"seq":x,"subject":"s","event":{}}`, `{"seq":1,"subject":"s","event":[]`} {
		if got, err := ReadStreamed([]byte(bad)); err == nil {
			t.Errorf("%q is taken for %+v", bad, got)
		}
	}
}
