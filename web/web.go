// Package web serves people and programs: the pages, the JSON API and the stream of changes that keeps an open page in
// step with the log. It only reads. What it needs beside the read models stands in Options; who calls New
// provides it.
package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/api"
	"github.com/certtrail/certtrail/web/calendar"
)

// Options holds what the pages need of the rest of the program. Store, Providers and Hosts are required, and Log unless
// ReadOnly is set.
type Options struct {
	Store     *projections.Store
	Log       api.Log                      // nil: there is none, so that there are no pages of it, and no past
	Providers func() []Provider            // asked anew for every page
	Metrics   http.Handler                 // nil: no /metrics
	Ready     func() (ok bool, report any) // nil: ready as soon as it answers; the report is sent as JSON
	Version   string                       // of the program
	Live      int                          // streams of changes at once, fewer than the listener has connections; 0: maxLive
	Hosts     []string                     // the host names, without port, that requests may bear; anything else is answered 421
	Now       func() time.Time             // nil: time.Now
	Logger    *slog.Logger                 // nil: nothing is logged
	First     FirstSteps
	URL       string          // the pages' public address, for what is sent elsewhere: "https://certtrail.example"
	Calendar  calendar.Secret // nil: there is no feed
	ReadOnly  *ReadOnly       // nil: the read models follow a log

	Delegation func(d *projections.DNSSEC) (Delegation, bool) // what the parent zone said last; nil: it is not asked
	// Decide keeps what a person decided about a matter, and returns once the read models show it. nil: nobody can
	// decide anything.
	Decide func(context.Context, Decision) error
	// TestDelivery sends a test delivery to the endpoints of a provider that is on. What came of it is told by
	// Providers. nil: there are no endpoints.
	TestDelivery func(ctx context.Context, provider string) error
	Warnings     func(context.Context) []Warning // what is wrong with the machine or the log; nil: nothing can be
	ClockTrouble func() string                   // why the clock tells nothing, a sentence; nil: there is no clock
}

// ReadOnly says of which moment the database is that the pages show, which nothing changes any more. The clock is the
// caller's, in Now.
type ReadOnly struct {
	AsOf    time.Time // the moment; zero: a server's own database, as it was left
	AsOfSeq uint64
}

// FirstSteps tells the start page how a person configures the first provider. Zero fields have defaults.
type FirstSteps struct {
	InitCommand string // writes the settings: "certtrail init"
	ConfigFile  string // where they stand: "certtrail.yaml"
}

// Server answers the routes. Nothing in it changes after New, so any number of requests may use it at once.
type Server struct {
	Options
	pages    map[string]pageTemplate
	pressing pressing
	assets   *assets
	room     *answer.Room
	copies   *copies
	slots    chan struct{} // one taken by every open /live
	hosts    map[string]bool
	feed     *calendar.Feed // nil: there is none

	decisions sync.Mutex // held while one is taken

	lists []shown // of the read models, in the order of the navigation
}

// New returns the handler of the web listener.
func New(o Options) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.guard(s.room.Holding(s.router())), nil
}

func newServer(o Options) (*Server, error) {
	if o.Store == nil || o.Providers == nil || len(o.Hosts) == 0 {
		return nil, errors.New("web needs a store, providers and the host names it answers to")
	}
	if o.Log == nil && o.ReadOnly == nil {
		return nil, errors.New("web needs a log, unless it shows a database that nothing changes any more")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.First.InitCommand == "" {
		o.First.InitCommand = "certtrail init"
	}
	if o.First.ConfigFile == "" {
		o.First.ConfigFile = "certtrail.yaml"
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	s := &Server{Options: o, room: answer.NewRoom(), copies: newCopies(), slots: make(chan struct{}, min(cmp.Or(o.Live, maxLive), maxLive)), hosts: map[string]bool{}}
	for _, h := range o.Hosts {
		s.hosts[hostName(h)] = true
	}
	var err error
	if s.assets, err = theAssets(); err != nil {
		return nil, err
	}
	if o.Calendar != nil {
		s.feed = &calendar.Feed{Store: o.Store, Secret: o.Calendar, URL: o.URL, Now: o.Now, Titles: s.titles, Logger: o.Logger}
	}
	s.makeLists()
	s.pages, err = thePages()
	return s, err
}

// makeLists makes the list of every read model that is shown: a new one has its entry here.
func (s *Server) makeLists() {
	s.lists = []shown{
		s.newOrders(), s.newCertificates(), s.newDomains(), s.newDNSSECs(), s.newOrganizations(), s.newWebsites(),
		s.newTargets(), s.newFindings(), s.newScans(), s.newUsers(), s.newQuarantine(),
	}
}
