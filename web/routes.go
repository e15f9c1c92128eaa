package web

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/api"
)

// role names what a reader may see and do. Readers of one role get the same bytes from an address, so that one may have
// another's copy.
type role string

// anyone admits all who reach the listener.
const anyone role = "anyone"

// roleOf returns the role of the request's sender.
func roleOf(*http.Request) role { return anyone }

// route holds a line of the table of routes. A route of GET answers HEAD too.
type route struct {
	method  string
	path    string // of the router: {name} stands for one segment, escaped as it was sent
	role    role
	handler http.Handler
}

// routes returns the table of all routes.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	table := []route{
		{get, "/", anyone, s.page(s.attention)},
		{get, "/attention", anyone, http.RedirectHandler("/", http.StatusSeeOther)},
		{post, "/attention", anyone, s.act(s.decide)},
		{get, "/search", anyone, s.page(s.search)},
		{get, "/expiry", anyone, s.page(s.expiry)},
		{post, "/expiry/calendar", anyone, s.act(s.feed.Renew)},
		{get, "/calendar.ics", anyone, s.page(s.feed.Serve)},
		{get, "/events", anyone, s.page(s.logged(s.events))},
		{get, "/events/{seq}", anyone, s.page(s.logged(s.event))},
		{get, "/events/{seq}/body", anyone, s.page(s.logged(s.eventBody))},
		{get, "/system", anyone, s.page(s.system)},

		{get, apiPrefix + "/attention", anyone, s.api(answer.Knowing(s.apiAttention))},
		{get, apiPrefix + "/events", anyone, s.api(answer.Knowing(s.logged((&api.Events{Log: s.Log, Logger: s.Logger}).Serve), "after_seq", "subject", "limit", "cursor"))},
		{get, apiPrefix + "/status", anyone, s.api(answer.Knowing(s.apiStatus))},
		{get, apiPrefix + "/live", anyone, s.api(s.live)},
		{get, apiPrefix + "/openapi.yaml", anyone, s.api(s.openapi)},

		{get, "/static/{file}", anyone, s.api(s.static)},
		{get, "/healthz", anyone, s.api(s.healthz)},
		{get, "/readyz", anyone, s.api(s.readyz)},
	}
	for _, l := range s.lists {
		table = append(table, l.routes()...)
	}
	if s.TestDelivery != nil {
		table = append(table, route{post, "/system/test", anyone, s.act(s.testDelivery)})
	}
	if s.Metrics != nil {
		table = append(table, route{get, "/metrics", anyone, s.Metrics})
	}
	return table
}

// router matches the path as it was sent and cleans nothing: an id from outside may contain any byte, also an escaped
// slash.
func (s *Server) router() *mux.Router {
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	methods := map[string][]string{}
	for _, line := range s.routes() {
		accepted := []string{line.method}
		if line.method == http.MethodGet {
			accepted = append(accepted, http.MethodHead)
		}
		methods[line.path] = append(methods[line.path], accepted...)
		r.Handle(line.path, line.handler).Methods(accepted...)
	}
	for path, accepted := range methods { // any other method
		r.Handle(path, s.either(func(http.ResponseWriter, *http.Request) error { return answer.MethodError(accepted) }))
	}
	r.NotFoundHandler = s.either(func(http.ResponseWriter, *http.Request) error { return answer.ErrNoRoute })
	return r
}

// either answers an error as its path's callers expect it: a problem document under /api, a page elsewhere.
func (s *Server) either(h answer.Handler) http.Handler {
	page, api := s.page(h), s.api(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/api" {
			api.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}
