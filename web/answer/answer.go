// Package answer reads what a request asks for and bounds, writes and refuses answers: what pages, API and calendar
// share.
package answer

import (
	"net/http"
	"sync"
)

// What answers under way may hold, in bytes, while their readers take them.
const (
	tinyAnswer  = 16 << 10  // is not counted: that the server is alive, or has no room, can always be said
	smallAnswer = 256 << 10 // at most; what holds more is a large one
	RoomForAll  = 48 << 20  // together
	RoomLarge   = 32 << 20  // of that, the large ones, whose readers leave room for the others
	ChunkBytes  = 256 << 10 // read at once, of what is sent piece by piece; and one event or row more
	PageBytes   = 8 << 20   // of one page of events or rows
)

// Room counts the bytes that answers may still hold.
type Room struct {
	mu         sync.Mutex
	all, large int
}

func NewRoom() *Room { return &Room{all: RoomForAll, large: RoomLarge} }

// exchange takes what an answer holds for what it held before; false where there is no room for more.
func (r *Room) exchange(before, now int) bool {
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

// above returns n if it is more than most, else 0.
func above(most, n int) int {
	if n <= most {
		return 0
	}
	return n
}

// answer writes a response and counts what it holds. One goroutine uses it.
type answer struct {
	http.ResponseWriter
	room *Room
	held int
}

// Unwrap lets http.ResponseController find what the server gave.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) Hold(n int) error {
	if !a.room.exchange(a.held, n) {
		return ErrFull
	}
	a.held = n
	return nil
}

// Hold says that the answer holds n bytes from now on, more or less than before. It is errFull when there is no room
// for more.
func Hold(w http.ResponseWriter, n int) error {
	if h, ok := w.(interface{ Hold(n int) error }); ok {
		return h.Hold(n)
	}
	return nil
}

// Holding gives the room of an answer free when it ends.
func (r *Room) Holding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a := &answer{ResponseWriter: w, room: r}
		defer func() { _ = a.Hold(0) }() // less always fits
		next.ServeHTTP(a, req)
	})
}
