package web

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// APIRoutes are the paths under /api that the router knows.
func APIRoutes(o Options) ([]string, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	var paths []string
	err = s.router().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if strings.HasPrefix(path, "/api/") {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

// Heartbeat and MaxLive are the limits of /live.
const (
	Heartbeat = heartbeat
	MaxLive   = maxLive
)

// Acting is a route that changes something, for tests of who may.
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
	ChunkBytes = chunkBytes
	PageBytes  = pageBytes
	RoomForAll = roomForAll
	RoomLarge  = roomLarge
)

// Forming is a page that bears the token of its forms and nothing else.
func Forming(o Options) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		_, err := w.Write([]byte("form " + template.HTMLEscapeString(formToken(r.Context()))))
		return err
	}), nil
}
