package web

import (
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
