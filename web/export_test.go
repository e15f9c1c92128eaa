package web

import (
	"context"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
)

// Route holds a line of the table of routes.
type Route struct{ Method, Path, Role string }

// Routes returns the table of routes.
func Routes(o Options) ([]Route, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	var table []Route
	for _, line := range s.routes() {
		table = append(table, Route{line.method, line.path, string(line.role)})
	}
	return table, nil
}

// Heartbeat and MaxLive are the limits of /live.
const (
	Heartbeat = heartbeat
	MaxLive   = maxLive
)

// Acting serves a route that changes something, for tests of who may.
func Acting(o Options, did func()) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.act(func(w http.ResponseWriter, _ *http.Request) error {
		did()
		w.WriteHeader(http.StatusNoContent)
		return nil
	}), nil
}

// The bounds of what answers hold.
const (
	ChunkBytes = answer.ChunkBytes
	PageBytes  = answer.PageBytes
	RoomForAll = answer.RoomForAll
	RoomLarge  = answer.RoomLarge
)

// ShareCopy tells whether readers of two roles get the same copy of an address.
func ShareCopy(a, b string) bool {
	c := newCopies()
	first, _ := c.enter(copyKey{role(a), "/orders"}, 0, time.Time{})
	second, _ := c.enter(copyKey{role(b), "/orders"}, 0, time.Time{})
	return first == second
}

// Watched acts as New, but its lists of orders, certificates and domains call before first, and fail with what it
// returns.
func Watched(o Options, before func(context.Context, projections.Query) error) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	watch(listOf(s, projections.Orders), before)
	watch(listOf(s, projections.Certificates), before)
	watch(listOf(s, projections.Domains), before)
	return s.guard(s.room.Holding(s.router())), nil
}

func watch[T any](l *list[T], before func(context.Context, projections.Query) error) {
	find := l.Find
	l.Find = func(ctx context.Context, q projections.Query) ([]T, string, error) {
		if err := before(ctx, q); err != nil {
			return nil, "", err
		}
		return find(ctx, q)
	}
}

// CountText formats a list's number of rows.
func CountText(n int) string { return countText(n) }
