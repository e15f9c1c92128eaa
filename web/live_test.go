package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web"
)

// stream is one open /live.
type stream struct {
	header http.Header
	code   int
	chunks chan string
	flush  int
}

func (s *stream) Header() http.Header         { return s.header }
func (s *stream) WriteHeader(code int)        { s.code = code }
func (s *stream) Write(b []byte) (int, error) { s.chunks <- string(b); return len(b), nil }
func (s *stream) FlushError() error           { s.flush++; return nil }

// open asks for /live; the returned function hangs up and waits until the server has let go.
func open(h http.Handler, query, lastEventID string) (*stream, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{header: http.Header{}, chunks: make(chan string, 100)}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/live"+query, nil)
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	done := make(chan struct{})
	go func() { h.ServeHTTP(s, r); close(done) }()
	return s, func() { cancel(); <-done }
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(plain)
		h := handler(t, options(store, l))
		s, hangUp := open(h, "", "")
		if got := <-s.chunks; got != "retry: 2000\n\n" {
			t.Errorf("begins with %q", got)
		}
		if got := s.header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("type %s", got)
		}
		store.changes <- projections.Change{Seq: 7, Rows: []projections.Key{{Model: "orders", Provider: "digicert", ID: "12345"}, {Model: "domains", Provider: "digicert", ID: "a\nb\"c"}}}
		want := "id: 7\ndata: {\"seq\":7,\"rows\":[[\"orders\",\"digicert\",\"12345\"],[\"domains\",\"digicert\",\"a\\nb\\\"c\"]]}\n\n"
		if got := <-s.chunks; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		store.changes <- projections.Change{Seq: 8}
		if got := <-s.chunks; got != "id: 8\ndata: {\"seq\":8,\"rows\":[]}\n\n" {
			t.Errorf("got %q", got)
		}
		begin := time.Now()
		if got := <-s.chunks; !strings.HasPrefix(got, ":") || !strings.HasSuffix(got, "\n\n") || time.Since(begin) > web.Heartbeat {
			t.Errorf("after %v of silence: %q", time.Since(begin), got)
		}
		hangUp()
		if s.flush != 4 {
			t.Errorf("flushed %d times, want every write", s.flush)
		}
	})
}

func TestLiveResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(plain)
		h := handler(t, options(store, l))
		for _, c := range []struct {
			query, header string
			want          uint64
		}{{"", "", 0}, {"?last_event_id=41", "", 41}, {"?last_event_id=41", "42", 42}, {"", "43", 43}} {
			_, hangUp := open(h, c.query, c.header)
			synctest.Wait()
			hangUp()
			if got := store.after[len(store.after)-1]; got != c.want {
				t.Errorf("%s and %q: live after %d, want %d", c.query, c.header, got, c.want)
			}
		}
	})
}

// TestLiveGathers sends changes that come in one moment as one message, each row once, and the first of them at once.
func TestLiveGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(plain)
		s, hangUp := open(handler(t, options(store, l)), "", "")
		<-s.chunks
		begin := time.Now()
		for seq := uint64(1); seq <= 100; seq++ {
			store.changes <- projections.Change{Seq: seq, Rows: []projections.Key{{Model: "orders", Provider: "digicert", ID: "1"}}}
		}
		for i, want := range []string{"id: 1\ndata: {\"seq\":1,\"rows\":[[\"orders\",\"digicert\",\"1\"]]}\n\n", "id: 100\ndata: {\"seq\":100,\"rows\":[[\"orders\",\"digicert\",\"1\"]]}\n\n"} {
			if got := <-s.chunks; got != want {
				t.Errorf("message %d is %q, want %q", i, got, want)
			}
		}
		if took := time.Since(begin); took > 100*time.Millisecond {
			t.Errorf("the last change was sent after %s", took)
		}
		hangUp()
	})
}

// TestLiveSkips tells a page that is far behind, or ahead of another log, to look at everything anew; a program that wants all gets all.
func TestLiveSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(plain)
		store.status = []projections.Status{{Name: "read-models", Seq: 5000, State: "live"}}
		h := handler(t, options(store, l))
		const reload = "event: reload\nid: 5000\ndata: {\"seq\":5000,\"rows\":[]}\n\n"
		for query, want := range map[string]string{
			"?at_most=1000&last_event_id=3999": reload, "?at_most=1000&last_event_id=5001": reload,
			"?at_most=1000&last_event_id=4000": "", "?last_event_id=3999": "", "?at_most=1000": "",
		} {
			s, hangUp := open(h, query, "")
			synctest.Wait()
			<-s.chunks
			got := ""
			if len(s.chunks) > 0 {
				got = <-s.chunks
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", query, got, want)
			}
			if from := store.after[len(store.after)-1]; want != "" && from != 5000 {
				t.Errorf("%s: goes on after %d, want 5000", query, from)
			}
			hangUp()
		}
		wantProblem(t, "at_most=0", get(h, "/api/v1/live?at_most=0"), http.StatusBadRequest)
	})
}

func TestLiveHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(plain)
		h := handler(t, options(store, l))
		var hangUps []func()
		for range web.MaxLive {
			_, hangUp := open(h, "", "")
			hangUps = append(hangUps, hangUp)
		}
		synctest.Wait()
		w := get(h, "/api/v1/live")
		wantProblem(t, "one too many", w, http.StatusServiceUnavailable)
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		for _, hangUp := range hangUps {
			hangUp()
		}
		_, hangUp := open(h, "", "")
		synctest.Wait()
		hangUp()
		if n := len(store.after); n != web.MaxLive+1 {
			t.Errorf("%d streams were opened, want a place to be free again", n)
		}
	})
}

func TestLiveAnswersHead(t *testing.T) {
	w := request(handler(t, options(world(plain))), http.MethodHead, "http://localhost/api/v1/live")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %d %s", w.Code, w.Header().Get("Content-Type"))
	}
}

// TestLiveOverHTTP is once the real thing: no deadline of the server cuts the stream, and a server that stops ends it.
func TestLiveOverHTTP(t *testing.T) {
	store, l := world(plain)
	ctx, cancel := context.WithCancel(context.Background())
	h := handler(t, options(store, l))
	ended := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost"
		h.ServeHTTP(w, r.WithContext(ctx))
		close(ended)
	}))
	server.Config.WriteTimeout = time.Minute
	server.Start()
	defer server.Close()
	answer, err := http.Get(server.URL + "/api/v1/live")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	store.changes <- projections.Change{Seq: 9}
	var text strings.Builder
	b := make([]byte, 512)
	for !strings.Contains(text.String(), "id: 9\n") {
		n, err := answer.Body.Read(b)
		text.Write(b[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, text.String())
		}
	}
	cancel()
	<-ended
}
