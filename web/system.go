package web

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/picture"
	"github.com/certtrail/certtrail/web/view"
)

// systemPage holds the data of system.html. It needs no read model, so that it works while those are being rebuilt.
type systemPage struct {
	frame
	Warnings    []Warning // what is wrong, most urgent first
	Projections []projections.Status
	Missing     projections.Missing
	Last        uint64
	Providers   []providerView
	ConfigFile  string
	Metrics     bool
	Tests       bool      // test deliveries can be sent
	Rebuild     *progress // nil: none is running
}

// providerView shows one provider's part of the page.
type providerView struct {
	Provider
	State  string // one of the words of state: on, silent, off
	Last   view.Moment
	Quiet  quiet
	Spark  *picture.Spark // nil: nothing has ever come
	Counts []count
	Said   []saying // of its accounts, newest first
	Asked  *askedView
	Tokens []tokenView
	Tested *testedView
}

// saying holds a provider's last word on an account: a test or a challenge of its webhook, say.
type saying struct {
	About, What string
	At          view.Moment
}

type count struct {
	Name, Text, Meaning string
	Bad                 bool
}

func (s *Server) system(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := systemPage{frame: s.frame(ctx, "System", "system"), ConfigFile: s.First.ConfigFile, Metrics: s.Metrics != nil, Tests: s.TestDelivery != nil}
	p.Model = anyModel
	var err error
	if p.Projections, p.Missing, err = s.Store.Status(ctx); err != nil {
		return err
	}
	p.Rebuild = rebuilding(p.Projections)
	if p.Last, err = s.lastSeq(ctx, p.Projections); err != nil {
		return err
	}
	accounts, _, err := projections.List(ctx, s.Store, projections.Accounts, projections.Query{Now: p.Now})
	if err != nil && !errors.Is(err, projections.ErrRebuilding) {
		return err
	}
	known := s.known(ctx, p.Now)
	for _, k := range known {
		p.Providers = append(p.Providers, k.view(accounts, p.Now))
	}
	p.Warnings = s.warnings(ctx, p.Projections, &p.Missing, known, p.Now)
	return s.render(w, http.StatusOK, "system", p)
}

// known holds a provider with how its deliveries came.
type known struct {
	Provider
	Traffic *projections.Traffic // nil: none came, or it is not known now
	Silence rules.Silence
}

// known returns all providers with how their deliveries came. Where the read models cannot be read nothing is known of
// that. A database shows those whose deliveries it holds.
func (s *Server) known(ctx context.Context, now time.Time) []known {
	traffic, err := s.Store.Traffic(ctx, now)
	if err != nil && !errors.Is(err, projections.ErrRebuilding) && ctx.Err() == nil {
		s.Logger.Error("couldn't read how deliveries came", "error", err)
	}
	of := map[string]*projections.Traffic{}
	for i := range traffic {
		of[traffic[i].Provider] = &traffic[i]
	}
	var list []known
	for _, p := range s.Providers() {
		k := known{Provider: p, Traffic: of[p.Name]}
		delete(of, p.Name)
		if k.Traffic == nil && s.ReadOnly != nil {
			continue
		}
		list = append(list, k)
	}
	for _, name := range slices.Sorted(maps.Keys(of)) { // deliveries of a source that was configured once
		list = append(list, known{Provider: Provider{Name: name, Title: name}, Traffic: of[name]})
	}
	for i := range list {
		k := &list[i]
		if k.Traffic == nil {
			continue
		}
		if k.Traffic.LastAt.After(k.LastAt.Time) {
			k.LastAt = k.Traffic.LastAt
		}
		k.Silence = k.Traffic.Silence(now)
	}
	return list
}

// silent tells whether the provider should have said something by now.
func (k *known) silent() bool { return k.On && k.Silence.Silent }

func (k *known) view(accounts []projections.Website, now time.Time) providerView {
	v := providerView{Provider: k.Provider, State: "off", Last: view.When(k.LastAt, now), Quiet: quietOf(k), Spark: picture.SparkOf(k.Traffic, now),
		Counts: countsOf(&k.Provider), Asked: k.Asked.view(now), Tokens: tokensView(k.Tokens, now), Tested: k.Tested.view(now)}
	switch {
	case k.silent():
		v.State = "silent"
	case k.On:
		v.State = "on"
	}
	for _, a := range accounts {
		if a.Provider == k.Name {
			v.Said = append(v.Said, saying{a.ID, strings.ReplaceAll(a.State, "_", " "), view.When(a.LastEventAt, now)})
		}
	}
	return v
}

// countsOf tells what became of deliveries since the start: of those that were refused or lost the log knows nothing.
func countsOf(p *Provider) []count {
	counts := []count{
		{"accepted", words.Number(p.Accepted), "became events", false},
		{"quarantined", words.Number(p.Quarantined) + shareOf(p.Quarantined, p), "kept, but not understood", p.Quarantined > 0},
	}
	refused := count{"refused", words.Number(p.Refused) + shareOf(p.Refused, p), "wrong credentials, method, size or address: not kept", p.Refused > 0}
	if len(p.RefusedFor) > 0 {
		var parts []string
		for _, why := range slices.SortedFunc(maps.Keys(p.RefusedFor), func(a, b string) int {
			return cmp.Or(cmp.Compare(p.RefusedFor[b], p.RefusedFor[a]), strings.Compare(a, b))
		}) {
			parts = append(parts, words.Number(p.RefusedFor[why])+" "+why)
		}
		refused.Name += ": " + strings.Join(parts, ", ")
	}
	return append(counts, refused, count{"lost", words.Number(p.Lost), "the log could not take them", p.Lost > 0})
}

// shareOf returns n's share of all that came: " (3 %)"; "" where there is none.
func shareOf(n uint64, p *Provider) string {
	all := p.Accepted + p.Quarantined + p.Refused + p.Lost
	if n == 0 || all == 0 {
		return ""
	}
	percent := 100 * n / all
	if percent == 0 {
		return " (under 1 %)"
	}
	return " (" + words.Number(percent) + " %)"
}

// quiet puts a provider's silence in words.
type quiet struct {
	Text   string // "" where there is nothing to say
	Silent bool
}

func quietOf(k *known) quiet {
	switch {
	case k.Traffic == nil:
		return quiet{}
	case k.Silence.Usual == 0:
		return quiet{Text: "too few so far to tell what is usual"}
	case k.silent():
		return quiet{"silent for " + words.Duration(k.Silence.For) + "; pauses of more than " + words.Duration(k.Silence.Usual) + " are unusual", true}
	}
	return quiet{Text: "pauses of up to " + words.Duration(k.Silence.Usual) + " are usual"}
}

// Tested holds the result of a test of a provider's endpoints.
type Tested struct {
	At        schema.Time
	Endpoints []TestedEndpoint
}

// TestedEndpoint holds the result of the test of one endpoint.
type TestedEndpoint struct {
	Path    string // "/hooks/digicert"; a token stands as {token}
	Status  int    // of HTTP; 0: nobody answered
	Took    time.Duration
	Seq     uint64 // of the event in the log; 0: there is none
	Trouble string // why not, a sentence
}

// testedView shows Tested on the page.
type testedView struct {
	At        view.Moment
	Endpoints []testedEndpointView
}

type testedEndpointView struct {
	TestedEndpoint
	In string // "3 ms"
}

func (t *Tested) view(now time.Time) *testedView {
	if t == nil {
		return nil
	}
	v := &testedView{At: view.When(t.At, now)}
	for _, e := range t.Endpoints {
		v.Endpoints = append(v.Endpoints, testedEndpointView{e, words.Number(max(1, int(e.Took.Round(time.Millisecond)/time.Millisecond))) + " ms"})
	}
	return v
}

// testDelivery sends a test delivery to the endpoints of the provider that the form names. What came of it stands with
// the provider on /system.
func (s *Server) testDelivery(w http.ResponseWriter, r *http.Request) error {
	name := r.PostFormValue("provider")
	if !slices.ContainsFunc(s.Providers(), func(p Provider) bool { return p.Name == name && p.On }) {
		return answer.Wrong("there is no provider %q that is on", name)
	}
	if err := s.TestDelivery(r.Context(), name); err != nil {
		return err
	}
	http.Redirect(w, r, "/system#provider-"+name, http.StatusSeeOther)
	return nil
}
