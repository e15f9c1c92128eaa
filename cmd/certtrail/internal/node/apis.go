package node

import (
	"fmt"
	"net/http"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
)

// api holds the API of one source.
type api struct {
	source  settings.Source
	caller  *ask.Caller
	Client  any
	secrets []string
}

// APIOf returns the source's API, or nil where it is not set up or there is none.
func APIOf(s settings.Source) (*api, error) {
	if s.System.API == nil {
		return nil, nil
	}
	at, ok := s.System.API.At(s.Setting)
	if !ok {
		return nil, nil
	}
	a := &api{source: s, secrets: at.Secrets}
	var err error
	a.caller, err = ask.NewCaller(ask.Options{
		Name: s.Title(), Base: at.Base, Secrets: at.Secrets, Rate: at.Rate, Burst: at.Burst,
		Authorize: func(h http.Header) { at.Authorize(h) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.SettingName("api-url"), err)
	}
	a.Client = s.System.API.Client(a.caller)
	return a, nil
}

// apisOf returns the APIs that are set up, by source.
func apisOf(c *settings.Config) (map[string]*api, error) {
	list := map[string]*api{}
	for _, s := range c.Sources {
		a, err := APIOf(s)
		if err != nil {
			return nil, err
		}
		if a != nil {
			list[s.Name] = a
		}
	}
	return list, nil
}

var _ provider.Caller = (*ask.Caller)(nil)
