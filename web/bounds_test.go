package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// large returns a log with an event of each of these sizes, in bytes.
func large(sizes ...int) *projectionstest.Log {
	l := projectionstest.NewLog()
	for i, size := range sizes {
		data := fmt.Sprintf(`{"specversion":"1.0","id":"%d","pad":"%s"}`, i, strings.Repeat("x", size-40))
		l.AppendRecords(schema.Record{Subject: "certs.order.issued.digicert.1", Time: now, Data: []byte(data)})
	}
	return l
}

func sizes(n, size int) (all []int) {
	for range n {
		all = append(all, size)
	}
	return all
}

// TestAPageOfEventsIsBoundedInBytes walks through logs of large events: no page holds more than it may, unless it is
// one event, and none is left out.
func TestAPageOfEventsIsBoundedInBytes(t *testing.T) {
	s, _ := empty(t)
	for name, all := range map[string][]int{
		"of a megabyte":         sizes(9, 1<<20),
		"larger than a page":    {9 << 20, 100, 9 << 20, 100},
		"the last one is large": append(sizes(4, 200_000), 9<<20),
		"small":                 sizes(300, 1000),
	} {
		h := handler(t, options(s, large(all...)))
		seen := 0
		for path := "/api/v1/events?limit=1000"; path != ""; {
			body := get(h, path).Body.Bytes()
			page := object(t, path, body)
			items := page["items"].([]any)
			if len(items) == 0 || len(items) > 1 && len(body) > web.PageBytes+1000*len(items) {
				t.Fatalf("%s: %d events in %d bytes", name, len(items), len(body))
			}
			for _, item := range items {
				if seen++; item.(map[string]any)["seq"] != float64(seen) {
					t.Fatalf("%s: got %v, want event %d", name, item.(map[string]any)["seq"], seen)
				}
			}
			path = ""
			if next := page["next_cursor"]; next != "" {
				path = "/api/v1/events?limit=1000&cursor=" + next.(string)
			}
		}
		if seen != len(all) {
			t.Errorf("%s: %d of %d events", name, seen, len(all))
		}
	}
}

// readingLog tells how many bytes of events were read at once at most.
type readingLog struct {
	*projectionstest.Log
	most int
}

func (l *readingLog) Events(ctx context.Context, after uint64, subject string, limit, bytes int) ([]schema.Record, bool, error) {
	records, more, err := l.Log.Events(ctx, after, subject, limit, bytes)
	size := 0
	for _, r := range records {
		size += len(r.Data)
	}
	l.most = max(l.most, size)
	return records, more, err
}

func TestEventsAreSentAsTheyAreRead(t *testing.T) {
	s, l := empty(t)
	o, log := options(s, l), &readingLog{Log: large(sizes(100, 50_000)...)}
	o.Log = log
	if n := len(object(t, "events", get(handler(t, o), "/api/v1/events?limit=1000").Body.Bytes())["items"].([]any)); n != 100 || log.most > web.ChunkBytes {
		t.Errorf("%d events, of which %d bytes were read at once", n, log.most)
	}
}

// TestThePageOfTheLogIsBoundedInBytes goes back through large events page by page, and forward again.
func TestThePageOfTheLogIsBoundedInBytes(t *testing.T) {
	s, l := empty(t)
	all := append(append(sizes(10, 1<<20), 9<<20), sizes(30, 300_000)...)
	o, log := options(s, l), &readingLog{Log: large(all...)}
	o.Log = log
	h := handler(t, o)
	rows, link := regexp.MustCompile(`data-row="events//(\d+)"`), func(body, rel string) string {
		m := regexp.MustCompile(`href="([^"]*)" rel="` + rel + `"`).FindStringSubmatch(body)
		if m == nil {
			return ""
		}
		return strings.ReplaceAll(m[1], "&amp;", "&")
	}
	for rel, from := range map[string]string{"next": "/events?limit=100", "prev": "/events?limit=100&after_seq=0"} {
		seen, pages := map[string]bool{}, 0
		for path := from; path != ""; pages++ {
			body := get(h, path).Body.String()
			for _, m := range rows.FindAllStringSubmatch(body, -1) {
				if seen[m[1]] {
					t.Fatalf("event %s stands on two pages", m[1])
				}
				seen[m[1]] = true
			}
			path = link(body, rel)
		}
		if len(seen) != len(all) || pages < 3 || log.most > 9<<20 {
			t.Errorf("%s: %d of %d events on %d pages, of which %d bytes were read at once", rel, len(seen), len(all), pages, log.most)
		}
	}
}

// unread records the response to a client that takes nothing until the test lets it.
type unread struct {
	*httptest.ResponseRecorder
	begun func()
	read  chan struct{}
}

func (u *unread) Write(b []byte) (int, error) {
	u.begun()
	<-u.read
	return u.ResponseRecorder.Write(b)
}

// TestAnswersUnderWayAreBounded has many clients ask for much and take nothing: beyond what there is room for they are
// sent away, others get their pages meanwhile, and there is room again once they are gone.
func TestAnswersUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := world(t, plain)
		h := handler(t, options(s, large(1<<20)))
		const clients = 48
		var held, refused atomic.Int64
		read := make(chan struct{})
		var group sync.WaitGroup
		for range clients {
			group.Go(func() {
				var once sync.Once
				u := &unread{httptest.NewRecorder(), func() { once.Do(func() { held.Add(1) }) }, read}
				h.ServeHTTP(u, httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/events?limit=1000", nil))
				if u.Code == http.StatusServiceUnavailable && u.Header().Get("Retry-After") != "" && u.Header().Get("Content-Type") == "application/problem+json" {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/orders": 200, "/api/v1/orders": 200, "/": 200} {
			if w := get(h, path); w.Code != want {
				t.Errorf("meanwhile %s is answered %d %s", path, w.Code, w.Body)
			}
		}
		if w := get(h, "/api/v1/events?limit=1000"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("there is still room: %d", w.Code)
		}
		close(read)
		group.Wait()
		if refused.Load() == 0 || (clients-refused.Load())<<20 > web.RoomForAll {
			t.Errorf("%d of %d were sent away", refused.Load(), clients)
		}
		if w := get(h, "/api/v1/events?limit=1000"); w.Code != http.StatusOK {
			t.Errorf("afterwards: %d", w.Code)
		}
	})
}

// TestALargePageNeedsRoom asks for a page for which there is none.
func TestALargePageNeedsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := world(t, plain)
		h := handler(t, options(s, large(sizes(2, 3<<20)...)))
		read := make(chan struct{})
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				u := &unread{httptest.NewRecorder(), func() {}, read}
				h.ServeHTTP(u, httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/events?limit=1000", nil))
			})
		}
		synctest.Wait()
		w := get(h, "/events?limit=1000")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "hold all the memory") ||
			!strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		close(read)
		group.Wait()
	})
}

// TestAPageEndsWithItsReaders has two open pages fetch the same address: its making goes on when one of them leaves,
// and ends with the other.
func TestAPageEndsWithItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, ended := make(chan struct{}, 1), make(chan struct{})
		h, err := web.Watched(options(world(t, plain)), func(ctx context.Context, _ projections.Query) error {
			began <- struct{}{}
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		ask := func() (leave context.CancelFunc) {
			ctx, leave := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/orders", nil)
			r.Header.Set("Certtrail-Heard", "1")
			group.Go(func() { h.ServeHTTP(httptest.NewRecorder(), r) })
			synctest.Wait()
			return leave
		}
		first := ask()
		<-began
		second := ask()
		first()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it ended though somebody waits for it")
		default:
		}
		second()
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("it goes on though nobody waits for it")
		}
		group.Wait()
	})
}
