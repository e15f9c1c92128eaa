package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"html/template"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// heardHeader is sent by an open page that fetches itself anew: the sequence of the last event that it has heard of.
const heardHeader = "Certtrail-Heard"

// How long a copy of a page serves others, so that what no event tells, such as a count of deliveries, is never older; and how many there are.
const (
	copyLife  = 500 * time.Millisecond
	maxCopies = 200
)

// copies lets open pages share the making of what they show: when two hundred of them hear of an event, each that shows the same address gets a
// copy of one page, which was begun after the event was in the read models. Only one page of an address is in the making at a time. Nothing but
// the token of its forms tells one person's page from another's.
type copies struct {
	token string // stands in a copy for the browser's own
	mu    sync.Mutex
	of    map[string]*pageCopy // by address
}

// pageCopy is the last page made of an address.
type pageCopy struct {
	taken  time.Time // guarded by copies.mu
	mu     sync.Mutex
	begun  time.Time // zero: there is none
	seq    uint64    // it shows the log at least up to this event
	status int
	header http.Header
	body   bytes.Buffer // never written again once it has been sent to somebody
	forms  bool         // it bears the token
}

func (p *pageCopy) Header() http.Header         { return p.header }
func (p *pageCopy) WriteHeader(status int)      { p.status = status }
func (p *pageCopy) Write(b []byte) (int, error) { return p.body.Write(b) }

func newCopies() *copies { return &copies{token: rand.Text(), of: map[string]*pageCopy{}} }

// shared serves an open page that fetches itself from a copy. Who comes for the first time gets a page of his own.
func (s *Server) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard, err := strconv.ParseUint(r.Header.Get(heardHeader), 10, 64)
		token := cookieToken(r)
		if err != nil || token == "" || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		status, header, body := s.copyFor(token, heard, next, r)
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		w.Write(body)
	})
}

// copyFor is the page that r asks for, begun when the read models held the event heard; its forms bear token.
func (s *Server) copyFor(token string, heard uint64, next http.Handler, r *http.Request) (status int, header http.Header, body []byte) {
	p := s.copies.take(r.URL.RequestURI(), s.Now())
	p.mu.Lock() // who comes meanwhile waits for the same page
	defer p.mu.Unlock()
	if p.seq < heard || s.Now().Sub(p.begun) >= copyLife {
		s.makeCopy(p, next, r)
	}
	body = p.body.Bytes()
	if p.forms {
		body = bytes.ReplaceAll(body, []byte(s.copies.token), []byte(template.HTMLEscapeString(token)))
	}
	return p.status, p.header, body
}

func (c *copies) take(address string, now time.Time) *pageCopy {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.of, func(_ string, p *pageCopy) bool { return now.Sub(p.taken) >= 2*copyLife })
	p := c.of[address]
	if p == nil {
		p = &pageCopy{}
		if len(c.of) < maxCopies {
			c.of[address] = p
		}
	}
	p.taken = now
	return p
}

// makeCopy lets next write p anew. That its reader leaves does not end it, since others wait for it.
func (s *Server) makeCopy(p *pageCopy, next http.Handler, r *http.Request) {
	ctx := context.WithValue(context.WithoutCancel(r.Context()), formKey{}, s.copies.token)
	p.begun, p.seq, p.status, p.header = time.Time{}, 0, http.StatusOK, http.Header{}
	p.body = bytes.Buffer{}
	begun := s.Now()
	status, _, err := s.Store.Status(ctx)
	next.ServeHTTP(p, r.WithContext(ctx))
	p.forms = bytes.Contains(p.body.Bytes(), []byte(s.copies.token))
	if p.begun = begun; err == nil {
		p.seq = shownSeq(status)
	}
}
