package owner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// TestAnswers: a route answers a result, or says why there is none, after its progress.
func TestAnswers(t *testing.T) {
	c := served(t, Handler(map[string]Work{
		"POST /sum": func(_ context.Context, a *Answer, r *http.Request) (any, error) {
			for i := range 20 { // more than a client bears that does not look at them
				if err := a.Progress(fmt.Sprintf("é %d", i)); err != nil {
					return nil, err
				}
			}
			body, err := io.ReadAll(r.Body)
			return string(body), err
		},
		"POST /refused": func(context.Context, *Answer, *http.Request) (any, error) {
			return nil, errors.New("nobody is called\nbücher: name another")
		},
		"POST /stopped": func(context.Context, *Answer, *http.Request) (any, error) { return nil, context.Canceled },
	}))
	var told []string
	var sum string
	err := c.Call(t.Context(), http.MethodPost, "/sum", nil, strings.NewReader("12"), func(b []byte) { told = append(told, string(b)) }, &sum)
	if err != nil || sum != "12" || len(told) != 20 || told[19] != `"é 19"` {
		t.Errorf("got %q after %q: %v", sum, told, err)
	}
	body, sender := io.Pipe() // of someone who sends neither more nor an end
	defer sender.Close()
	for path, want := range map[string]string{"/refused": "nobody is called\nbücher: name another", "/stopped": "is stopping, or starting again"} {
		if err := c.Call(t.Context(), http.MethodPost, path, nil, body, nil, &sum); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Call(ctx, http.MethodPost, "/sum", nil, nil, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is interrupted: %v", err)
	}
}

// served returns a client of an owner whose socket h serves.
func served(t *testing.T, h http.Handler) *Client {
	dir := t.TempDir()
	s, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.Serve(h, func(err error) { t.Error(err) })
	c := Connect(dir)
	t.Cleanup(c.Close)
	return c
}

// TestBrokenAnswer sees that a stream that ends without its trailer is an error, however whole it looks.
func TestBrokenAnswer(t *testing.T) {
	stream := func(end func(w http.ResponseWriter) error) Work {
		return func(_ context.Context, a *Answer, _ *http.Request) (any, error) {
			if err := errors.Join(WriteEvent(a.Stream(EventsType), &schema.Record{Seq: 1, Data: []byte(`{"id":"1"}`)}), a.Flush()); err != nil {
				return nil, err
			}
			return 7, end(a.w)
		}
	}
	h := Handler(map[string]Work{
		"GET /whole": stream(func(http.ResponseWriter) error { return nil }),
		"GET /error": stream(func(http.ResponseWriter) error { return errors.New("it went\nwröng") }),
		"GET /killed": stream(func(w http.ResponseWriter) error {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
			return err
		}),
	})
	c := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ended" {
			io.WriteString(w, `{"seq":1,"id":"1"}`+"\n")
			return
		}
		h.ServeHTTP(w, r)
	}))
	for path, want := range map[string]string{"/whole": "", "/ended": "ended in the middle", "/killed": "ended in the middle", "/error": "it went\nwröng"} {
		events, last := 0, 0
		err := c.Stream(t.Context(), path, nil, func(r io.Reader) error {
			return ReadEvents(r, func(Event) error { events++; return nil })
		}, &last)
		if events != 1 || want == "" && (err != nil || last != 7) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d events, %v", path, events, err)
		}
	}
	enough := errors.New("enough")
	err := c.Stream(t.Context(), "/whole", nil, func(r io.Reader) error { return ReadEvents(r, func(Event) error { return enough }) }, nil)
	if !errors.Is(err, enough) {
		t.Errorf("who reads no more gets %v", err)
	}
}

// TestEventsOnLines writes events that are hard to put on a line and reads them back.
func TestEventsOnLines(t *testing.T) {
	long := `{"id":"` + strings.Repeat("long", 50_000) + `"}`
	for _, c := range []struct{ data, want string }{
		{`{"id":"1"}`, `{"id":"1"}`},
		{"{\n \"id\": \"a\\nb\"\n}\n", `{"id":"a\nb"}`},
		{`{"id":"<&>","x":"\",\"seq\":","seq":"}"}`, `{"id":"<&>","x":"\",\"seq\":","seq":"}"}`},
		{`{}`, `{}`}, {` {"id":"1"}`, `{"id":"1"}`}, {long, long},
	} {
		var b bytes.Buffer
		w := bufio.NewWriter(&b)
		for seq := range uint64(2) {
			if err := errors.Join(WriteEvent(w, &schema.Record{Seq: 7 + seq, Data: []byte(c.data)}), w.Flush()); err != nil {
				t.Fatal(err)
			}
		}
		for line := range strings.Lines(b.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%.100q became %.100q", c.data, line)
			}
		}
		seq := uint64(7)
		err := ReadEvents(&b, func(e Event) error {
			if e.Seq != seq || string(e.Data) != c.want {
				t.Errorf("%.100q became %d %.100q", c.data, e.Seq, e.Data)
			}
			seq++
			return nil
		})
		if err != nil || seq != 9 {
			t.Errorf("%.100q: %d events, %v", c.data, seq-7, err)
		}
	}
	for _, bad := range []string{"\n", `{"seq":1`, `{"seq":x,"id":"1"}`, `{"id":"1"}`, `{"seq":1,"id":"1"`} {
		if err := ReadEvents(strings.NewReader(bad), func(Event) error { return nil }); err == nil {
			t.Errorf("%q is taken for an event", bad)
		}
	}
	for _, bad := range []string{"", "7", "[]"} {
		if err := WriteEvent(bufio.NewWriter(io.Discard), &schema.Record{Seq: 7, Data: []byte(bad)}); err == nil {
			t.Errorf("%q is written as an event", bad)
		}
	}
}
