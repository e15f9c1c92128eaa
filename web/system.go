package web

import (
	"net/http"

	"github.com/certtrail/certtrail/projections"
)

// systemPage is the data of system.html. It needs no read model, so that it works while those are being rebuilt.
type systemPage struct {
	frame
	Projections []projections.Status
	Gaps        []projections.Gap
	Last        uint64
	Providers   []providerView
	ConfigFile  string
	Metrics     bool
}

// providerView is one provider's part of the page.
type providerView struct {
	Provider
	State  string // one of the words of state: on, silent, off
	Last   moment
	Counts []count
}

type count struct {
	Name, Text, Meaning string
	Bad                 bool
}

func (s *Server) system(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := systemPage{frame: s.frame(ctx, "System", "system"), ConfigFile: s.First.ConfigFile, Metrics: s.Metrics != nil}
	p.Model = anyModel
	var err error
	if p.Projections, p.Gaps, err = s.Store.Status(ctx); err != nil {
		return err
	}
	if p.Last, err = s.Log.Last(ctx); err != nil {
		return err
	}
	for _, provider := range s.Providers() {
		v := providerView{Provider: provider, State: "off", Last: when(provider.LastAt, p.Now)}
		if provider.On {
			v.State = "on"
		}
		v.Counts = []count{
			{"accepted", number(provider.Accepted), "became events", false},
			{"quarantined", number(provider.Quarantined), "kept, but not understood", provider.Quarantined > 0},
			{"refused", number(provider.Refused), "wrong credentials, method, size or address: not kept", provider.Refused > 0},
			{"lost", number(provider.Lost), "the log could not take them", provider.Lost > 0},
		}
		p.Providers = append(p.Providers, v)
	}
	return s.render(w, http.StatusOK, "system", p)
}
