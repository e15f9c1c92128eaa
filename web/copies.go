package web

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// heardHeader carries the sequence of the last event that an open page has heard of, when the page fetches itself anew.
const heardHeader = "Certtrail-Heard"

// How long a copy of a page serves others, so that what no event tells, such as a count of deliveries, is never older;
// how many there are, and how many bytes they hold together, those included that somebody still reads.
const (
	copyLife   = 500 * time.Millisecond
	maxCopies  = 200
	copiesHold = 16 << 20
)

// copies lets open pages share the making of what they show: when two hundred of them hear of an event, each that shows
// the same address gets a copy of one page, which was begun after the event was in the read models. Only one page of an
// address is in the making at a time for a role.
type copies struct {
	mu   sync.Mutex
	of   map[copyKey]*pageCopy // the last made, or in the making
	held int                   // bytes of those that are kept or read
}

// copyKey says what a copy shows, and to whom.
type copyKey struct {
	role    role
	address string
}

// pageCopy holds a page made of an address. Nothing in it changes once it is made, but what copies.mu guards.
type pageCopy struct {
	begun  time.Time // zero: it could not be made
	seq    uint64    // it shows the log at least up to this event
	status int
	header http.Header
	body   bytes.Buffer

	made    chan struct{}      // closed when it is
	cancel  context.CancelFunc // ends the making
	readers int                // who wait for it or read it; guarded by copies.mu, as are the next
	kept    bool               // others are given it
	counted bool               // in copies.held
}

func (p *pageCopy) Header() http.Header         { return p.header }
func (p *pageCopy) WriteHeader(status int)      { p.status = status }
func (p *pageCopy) Write(b []byte) (int, error) { return p.body.Write(b) }

func newCopies() *copies { return &copies{of: map[copyKey]*pageCopy{}} }

// shared serves an open page that fetches itself from a copy. Who comes for the first time gets a page of his own.
func (s *Server) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard, err := strconv.ParseUint(r.Header.Get(heardHeader), 10, 64)
		if err != nil || r.Method != http.MethodGet || s.copies.full() {
			next.ServeHTTP(w, r)
			return
		}
		p := s.copyFor(heard, next, r)
		if p == nil {
			return // the reader has left
		}
		defer s.copies.leave(p)
		maps.Copy(w.Header(), p.header)
		w.WriteHeader(p.status)
		_, _ = w.Write(p.body.Bytes()) // the peer may be gone, so there is nobody to tell
	})
}

// copyFor returns the page that r asks for, begun when the read models held the event heard; who gets it leaves it. It
// is nil when r's client has left.
func (s *Server) copyFor(heard uint64, next http.Handler, r *http.Request) *pageCopy {
	for key := (copyKey{roleOf(r), r.URL.RequestURI()}); ; {
		p, mine := s.copies.enter(key, heard, s.Now())
		if mine {
			return s.makeCopy(p, next, r)
		}
		select {
		case <-p.made:
		case <-r.Context().Done():
			s.copies.leave(p)
			return nil
		}
		if p.good(heard, s.Now()) {
			return p
		}
		s.copies.leave(p)
	}
}

// good tells whether the page, which is made, may be given to who heard of an event.
func (p *pageCopy) good(heard uint64, now time.Time) bool {
	return p.seq >= heard && now.Sub(p.begun) < copyLife
}

func (p *pageCopy) inMaking() bool {
	select {
	case <-p.made:
		return false
	default:
		return true
	}
}

// full tells whether the copies hold so much that each reader needs a page of his own, which counts as his answer.
func (c *copies) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held >= copiesHold
}

// enter returns the page of that key that is good or in the making, or a new one that the caller has to make.
func (c *copies) enter(key copyKey, heard uint64, now time.Time) (p *pageCopy, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, p := range c.of {
		stale := !p.inMaking() && (of == key && !p.good(heard, now) || now.Sub(p.begun) >= 2*copyLife)
		if !p.kept || stale {
			delete(c.of, of)
			p.kept = false
			c.count(p)
		}
	}
	if p = c.of[key]; p != nil {
		p.readers++
		return p, false
	}
	p = &pageCopy{status: http.StatusOK, header: http.Header{}, made: make(chan struct{}), readers: 1}
	if p.kept = len(c.of) < maxCopies; p.kept {
		c.of[key] = p
	}
	return p, true
}

// leave ends a reader's interest in p. A page that nobody waits for any more is not made to its end.
func (c *copies) leave(p *pageCopy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.readers--; p.readers == 0 && p.inMaking() {
		p.kept = false
		p.cancel()
	}
	c.count(p)
}

// count counts what p holds while it is kept or read.
func (c *copies) count(p *pageCopy) {
	needed := !p.inMaking() && (p.kept || p.readers > 0)
	if needed == p.counted {
		return
	}
	if p.counted = needed; needed {
		c.held += p.body.Len()
	} else {
		c.held -= p.body.Len()
	}
}

// makeCopy lets next write p, which ends with the last who waits for it, not with r's client.
func (s *Server) makeCopy(p *pageCopy, next http.Handler, r *http.Request) *pageCopy {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	s.copies.mu.Lock()
	p.cancel = cancel
	s.copies.mu.Unlock()
	stays := context.AfterFunc(r.Context(), func() { s.copies.leave(p) })
	defer s.copies.finish(p)
	begun := s.Now()
	status, _, err := s.Store.Status(ctx)
	next.ServeHTTP(p, r.WithContext(ctx))
	if p.begun = begun; err == nil {
		p.seq = shownSeq(status)
	}
	if !stays() {
		return nil
	}
	return p
}

// finish lets the readers of p have it.
func (c *copies) finish(p *pageCopy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(p.made)
	c.count(p)
}
