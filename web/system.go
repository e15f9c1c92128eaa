package web

import (
	"errors"
	"net/http"
	"strings"

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
	Rebuild     *progress // nil: none is running
	Clock       string    // why the clock tells nothing, a sentence; "" while it does
}

// providerView is one provider's part of the page.
type providerView struct {
	Provider
	State  string // one of the words of state: on, silent, off
	Last   moment
	Counts []count
	Said   []saying // of its accounts, newest first
	Asked  *askedView
	Tokens []tokenView
}

// saying is what a provider last said of an account: a test or a challenge of its webhook, say.
type saying struct {
	About, What string
	At          moment
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
	if s.ClockTrouble != nil {
		p.Clock = oneLine(s.ClockTrouble())
	}
	p.Rebuild = rebuilding(p.Projections)
	if p.Last, err = s.lastSeq(ctx, p.Projections); err != nil {
		return err
	}
	accounts, _, err := s.Store.Accounts(ctx, projections.Query{Now: p.Now})
	if err != nil && !errors.Is(err, projections.ErrRebuilding) {
		return err
	}
	for _, provider := range s.Providers() {
		v := providerView{Provider: provider, State: "off", Last: when(provider.LastAt, p.Now), Asked: provider.Asked.view(p.Now), Tokens: tokensView(provider.Tokens, p.Now)}
		if provider.On {
			v.State = "on"
		}
		v.Counts = []count{
			{"accepted", number(provider.Accepted), "became events", false},
			{"quarantined", number(provider.Quarantined), "kept, but not understood", provider.Quarantined > 0},
			{"refused", number(provider.Refused), "wrong credentials, method, size or address: not kept", provider.Refused > 0},
			{"lost", number(provider.Lost), "the log could not take them", provider.Lost > 0},
		}
		for _, a := range accounts {
			if a.Provider == provider.Name {
				v.Said = append(v.Said, saying{a.ID, strings.ReplaceAll(a.State, "_", " "), when(a.LastEventAt, p.Now)})
			}
		}
		p.Providers = append(p.Providers, v)
	}
	return s.render(w, http.StatusOK, "system", p)
}
