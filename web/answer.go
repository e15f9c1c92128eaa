package web

import (
	"net/http"
	"sync"
)

// What answers under way may hold, in bytes, while their readers take them.
const (
	tinyAnswer  = 16 << 10  // is not counted: that the server is alive, or has no room, can always be said
	smallAnswer = 256 << 10 // at most; what holds more is a large one
	roomForAll  = 48 << 20  // together
	roomLarge   = 32 << 20  // of that, the large ones, whose readers leave room for the others
	chunkBytes  = 256 << 10 // read at once, of what is sent piece by piece; and one event or row more
	pageBytes   = 8 << 20   // of one page of events or rows
)

// room is what answers may still hold.
type room struct {
	mu         sync.Mutex
	all, large int
}

func newRoom() *room { return &room{all: roomForAll, large: roomLarge} }

// exchange takes what an answer holds for what it held before; false where there is no room for more.
func (r *room) exchange(before, now int) bool {
	all, large := above(tinyAnswer, now)-above(tinyAnswer, before), above(smallAnswer, now)-above(smallAnswer, before)
	r.mu.Lock()
	defer r.mu.Unlock()
	if now > before && (r.all < all || r.large < large) {
		return false
	}
	r.all -= all
	r.large -= large
	return true
}

// above is n, if it is more than most.
func above(most, n int) int {
	if n <= most {
		return 0
	}
	return n
}

// answer is a response with what it holds. One goroutine uses it.
type answer struct {
	http.ResponseWriter
	room *room
	held int
}

// Unwrap lets http.ResponseController find what the server gave.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) hold(n int) error {
	if !a.room.exchange(a.held, n) {
		return errFull
	}
	a.held = n
	return nil
}

// hold says that the answer holds n bytes from now on, more or less than before. It is errFull when there is no room for more.
func hold(w http.ResponseWriter, n int) error {
	if h, ok := w.(interface{ hold(n int) error }); ok {
		return h.hold(n)
	}
	return nil
}

// holding gives the room of an answer free when it ends.
func (r *room) holding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a := &answer{ResponseWriter: w, room: r}
		defer func() { _ = a.hold(0) }() // less always fits
		next.ServeHTTP(a, req)
	})
}
