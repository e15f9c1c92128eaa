package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// stream reads one open /live.
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

// listen asks for /live; the returned function hangs up and waits until the server has let go.
func listen(h http.Handler, query, lastEventID string) (*stream, func()) {
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
		store, l := world(t, plain)
		h := handler(t, options(store, l))
		s, hangUp := listen(h, "", "")
		if got := <-s.chunks; got != "retry: 2000\n\n" {
			t.Errorf("begins with %q", got)
		}
		if got := s.header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("type %s", got)
		}
		w := &story{s: plain}
		w.say("digicert", 0, schema.DomainValidated, schema.Data{OrderID: "12345", Domain: "a\nb\"c"})
		seq := l.Append(w.events...)
		want := fmt.Sprintf("id: %d\ndata: {\"seq\":%[1]d,\"rows\":[[\"domains\",\"digicert\",\"a\\nb\\\"c\"],[\"orders\",\"digicert\",\"12345\"]]}\n\n", seq)
		if got := <-s.chunks; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		l.Append(schema.New("unknown", "/hooks/digicert", ago(0), "unheard.of", schema.Data{Provider: "digicert"})) // no row takes it
		if got := <-s.chunks; got != fmt.Sprintf("id: %d\ndata: {\"seq\":%[1]d,\"rows\":[]}\n\n", seq+1) {
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
		store, l := world(t, plain)
		h := handler(t, options(store, l))
		last, _ := l.Last(t.Context())
		back := func(n uint64) string { return strconv.FormatUint(last-n, 10) }
		for _, c := range []struct {
			query, header string
			want          uint64 // the first event that is told of; 0: none
		}{{"", "", 0}, {"?last_event_id=" + back(3), "", last - 2}, {"?last_event_id=" + back(3), back(2), last - 1}, {"", back(1), last}, {"", back(0), 0}} {
			s, hangUp := listen(h, c.query, c.header)
			synctest.Wait()
			<-s.chunks
			got := ""
			if len(s.chunks) > 0 {
				got = <-s.chunks
			}
			hangUp()
			if c.want == 0 && got != "" || c.want > 0 && !strings.HasPrefix(got, fmt.Sprintf("id: %d\n", c.want)) {
				t.Errorf("%s and %q: got %q first, want event %d", c.query, c.header, got, c.want)
			}
		}
	})
}

// TestLiveGathers sends changes that come in one moment as one message, each row once, and the first of them at once.
func TestLiveGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := empty(t)
		s, hangUp := listen(handler(t, options(store, l)), "", "")
		<-s.chunks
		begin := time.Now()
		w := &story{s: plain}
		for range 100 {
			w.say("digicert", 0, schema.OrderUpdated, schema.Data{OrderID: "1"})
		}
		l.Append(w.events[0])
		const message = "id: %d\ndata: {\"seq\":%[1]d,\"rows\":[[\"orders\",\"digicert\",\"1\"]]}\n\n"
		if got := <-s.chunks; got != fmt.Sprintf(message, 1) || time.Since(begin) > 0 {
			t.Errorf("the first message is %q, after %s", got, time.Since(begin))
		}
		for _, e := range w.events[1:] {
			l.Append(e)
		}
		messages := 0
		for seq := 1; seq < 100; messages++ {
			got := <-s.chunks
			if _, err := fmt.Sscanf(got, "id: %d\n", &seq); err != nil || got != fmt.Sprintf(message, seq) {
				t.Fatalf("a message is %q: %v", got, err)
			}
		}
		if took := time.Since(begin); messages > 5 || took > 250*time.Millisecond { // the read models gather too, while there is much
			t.Errorf("the other changes came as %d messages, the last after %s", messages, took)
		}
		hangUp()
	})
}

// TestLiveSkips tells a page that is far behind, or ahead of another log, to look at everything anew; a program that
// wants all gets all.
func TestLiveSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(t, plain)
		h := handler(t, options(store, l))
		last, _ := l.Last(t.Context())
		reload := fmt.Sprintf("event: reload\nid: %d\ndata: {\"seq\":%[1]d,\"rows\":[]}\n\n", last)
		for query, want := range map[string]string{
			fmt.Sprint("?at_most=100&last_event_id=", last-101): reload, fmt.Sprint("?at_most=100&last_event_id=", last+1): reload,
			fmt.Sprint("?at_most=100&last_event_id=", last-100): fmt.Sprintf("id: %d\n", last-99),
			fmt.Sprint("?last_event_id=", last-101):             fmt.Sprintf("id: %d\n", last-100), "?at_most=100": "",
		} {
			s, hangUp := listen(h, query, "")
			synctest.Wait()
			<-s.chunks
			got := ""
			if len(s.chunks) > 0 {
				got = <-s.chunks
			}
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s: got %q, want %q", query, got, want)
			}
			if synctest.Wait(); want == reload && len(s.chunks) > 0 {
				t.Errorf("%s: it does not go on after the last event, but with %q", query, <-s.chunks)
			}
			hangUp()
		}
		wantProblem(t, "at_most=0", get(h, "/api/v1/live?at_most=0"), http.StatusBadRequest)
	})
}

func TestLiveHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, l := world(t, plain)
		h := handler(t, options(store, l))
		var hangUps []func()
		for range web.MaxLive {
			_, hangUp := listen(h, "", "")
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
		s, hangUp := listen(h, "", "")
		synctest.Wait()
		hangUp()
		if s.code >= 400 || len(s.chunks) != 1 {
			t.Errorf("no place is free again: %d", s.code)
		}
	})
}

func TestLiveAnswersHead(t *testing.T) {
	w := request(handler(t, options(world(t, plain))), http.MethodHead, "http://localhost/api/v1/live")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %d %s", w.Code, w.Header().Get("Content-Type"))
	}
}

// TestLiveOverHTTP tries the real thing once: no deadline of the server cuts the stream, and a server that stops ends
// it.
func TestLiveOverHTTP(t *testing.T) {
	store, l := world(t, plain)
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
	next := l.Append(schema.New("next", "/hooks/digicert", ago(0), schema.OrderUpdated, schema.Data{Provider: "digicert", OrderID: "1"}))
	var text strings.Builder
	b := make([]byte, 512)
	for !strings.Contains(text.String(), fmt.Sprintf("id: %d\n", next)) {
		n, err := answer.Body.Read(b)
		text.Write(b[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, text.String())
		}
	}
	cancel()
	<-ended
}
