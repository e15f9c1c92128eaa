package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// The bounds of what deliveries may hold while they come and until they are answered. One source may hold no more than
// a quarter of each, so that it cannot keep out the others.
const (
	maxInFlight = 2048      // deliveries whose bodies are there and that are not answered yet
	maxHeld     = 256 << 20 // bytes of all bodies, also of those that are still coming
	quarter     = 4
	firstRoom   = 4 << 10 // bytes that a body gets before anything of it is there, whatever it announces
)

// bound limits something of which each source may have a quarter.
type bound struct {
	max int64

	mu    sync.Mutex
	all   int64
	share map[string]int64 // by source
}

func newBound(max int64) *bound { return &bound{max: max, share: map[string]int64{}} }

// take takes n for the source; false if there is no more for it.
func (b *bound) take(source string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all+n > b.max || b.share[source]+n > b.max/quarter {
		return false
	}
	b.all += n
	b.share[source] += n
	return true
}

func (b *bound) give(source string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all -= n
	b.share[source] -= n
}

var (
	errTooLarge = errors.New("the body is too large")
	errNoRoom   = errors.New("bodies hold too much already")
)

// body reads a delivery's body. What it holds is counted until release.
type body struct {
	held   *bound
	source string
	max    int64 // bytes
	taken  int64 // of held
}

func (b *body) release() { b.held.give(b.source, b.taken) }

// read reads all that comes from r. It takes room as bytes come: who announces much and sends little holds little.
// expected is -1 where nobody announced anything.
func (b *body) read(r io.Reader, expected int64) ([]byte, error) {
	room := int64(firstRoom)
	if expected >= 0 {
		room = min(room, expected+1)
	}
	var read []byte
	for {
		if len(read) == cap(read) {
			if room = min(room, b.max+1); !b.held.take(b.source, room-int64(cap(read))) { // one more than fits tells that it is too large
				return nil, errNoRoom
			}
			b.taken += room - int64(cap(read))
			read = append(make([]byte, 0, room), read...)
			room *= 2
		}
		n, err := r.Read(read[len(read):cap(read)])
		switch read = read[:len(read)+n]; {
		case int64(len(read)) > b.max:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return read, nil
		case err != nil:
			return nil, err
		}
	}
}

// body reads the whole body and undoes how it is encoded, or answers why not. The caller calls release, also then.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, s *Source) (plain []byte, release func(), ok bool) {
	b := &body{held: h.held, source: s.Name, max: h.o.MaxBody}
	plain, err := h.readBody(w, r, b)
	if err == nil {
		return plain, b.release, true
	}
	w.Header().Set("Connection", "close") // or the server would wait for the rest
	switch {
	case errors.Is(err, errTooLarge):
		h.refuse(w, r, s, http.StatusRequestEntityTooLarge, RefusedSize,
			fmt.Sprintf("The delivery is larger than the %d bytes that are taken. See the setting max-body.", h.o.MaxBody))
	case errors.Is(err, errNoRoom):
		h.noRoom(w, s, "Deliveries of "+s.Name+" that are still coming hold too much memory already.")
	case errors.As(err, new(*encodingError)):
		h.refuse(w, r, s, http.StatusUnsupportedMediaType, RefusedEncoding, err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.refuse(w, r, s, http.StatusBadRequest, RefusedBroken, fmt.Sprintf("The body of the delivery did not arrive within %v.", h.o.BodyWait))
	default:
		h.refuse(w, r, s, http.StatusBadRequest, RefusedBroken, "The body of the delivery did not arrive whole.")
	}
	return nil, b.release, false
}

func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, b *body) ([]byte, error) {
	switch {
	case r.ContentLength > b.max:
		return nil, errTooLarge
	case r.ContentLength == 0:
		return nil, nil
	}
	control := http.NewResponseController(w) // whose deadlines only tests' writers do not have
	control.SetReadDeadline(time.Now().Add(h.o.BodyWait))
	came, err := b.read(r.Body, r.ContentLength)
	if err != nil {
		return nil, err
	}
	control.SetReadDeadline(time.Time{})
	return b.plain(came, r.Header)
}

// noRoom answers a delivery for which its source has no room left, and counts it as lost, since it may not be sent
// again.
func (h *Handler) noRoom(w http.ResponseWriter, s *Source, why string) {
	s.counts.lost.Add(1)
	unavailable(w, why+" Send it again later.")
}
