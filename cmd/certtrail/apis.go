package main

import (
	"fmt"
	"net/http"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/schema"
)

// api is the API of one source.
type api struct {
	source  source
	caller  *ask.Caller
	client  any
	secrets []string
}

// apiOf returns the source's API, or nil where it is not set up or there is none.
func apiOf(s source) (*api, error) {
	if s.system.API == nil {
		return nil, nil
	}
	at, ok := s.system.API.At(s.get)
	if !ok {
		return nil, nil
	}
	a := &api{source: s, secrets: at.Secrets}
	var err error
	a.caller, err = ask.NewCaller(ask.Options{
		Name: s.title(), Base: at.Base, Secrets: at.Secrets, Rate: at.Rate, Burst: at.Burst,
		Authorize: func(h http.Header) { at.Authorize(h) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.settingName("api-url"), err)
	}
	a.client = s.system.API.Client(a.caller)
	return a, nil
}

// apisOf returns the APIs that are set up, by source.
func apisOf(c *config) (map[string]*api, error) {
	list := map[string]*api{}
	for _, s := range c.sources {
		a, err := apiOf(s)
		if err != nil {
			return nil, err
		}
		if a != nil {
			list[s.name] = a
		}
	}
	return list, nil
}

var _ schema.Caller = (*ask.Caller)(nil)
