package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/crash"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/listen"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// Server assembles all roles of the process. It owns the data directory, so commands reach it over control.sock.
type Server struct {
	*Node
	sources []*ingest.Source
	fills   map[string][]string // by the kind of a source
	hooks   *listen.Listener
	web     *listen.Listener
	failed  chan error // of a listener
	tests   testResults
}

// Serve runs until ctx ends. It owns the data directory all the time, though what it has open there may be exchanged
// once, for a restored log.
func Serve(ctx context.Context, c *settings.Config, logTo io.Writer, started func(*Server)) error {
	release, err := owner.Lock(c.DataDir)
	if err != nil {
		return err
	}
	defer release()
	defer Tune()()
	control, err := owner.Listen(c.DataDir)
	if err != nil {
		return err
	}
	defer control.Stop()
	logger, unguard := crash.Guard(c.DataDir, logTo, c.LogLevel)
	defer unguard()
	if allowed := allowedMemory(os.DirFS("/")); allowed < littleMemory {
		logger.Warn("the control group allows little memory; raise its limit (MemoryMax=) before the log is large", "mib", allowed>>20, "enough_mib", littleMemory>>20)
	}
	for _, unknown := range c.Systems.UnknownEnv(os.Environ()) {
		near := strings.Join(unknown.Near, " or ")
		logger.Warn("the environment names a setting that does not exist; certtrail serve --help lists all", "name", unknown.Name, "did_you_mean", near)
	}
	for {
		next, err := serveLog(ctx, c, logger, control, started)
		if next == nil || err != nil {
			return err
		}
		// Deliveries were taken until now, so only now is it sure whether there are events.
		refused := WithoutEvents(ctx, c, logger)
		if refused == nil {
			logger.Info("the log is exchanged for a restored one")
			err = InstallLog(c.DataDir, next.prepared)
		} else {
			err = os.RemoveAll(filepath.Dir(next.prepared))
		}
		if err != nil {
			return err
		}
		started = func(*Server) { next.served <- refused }
	}
}

// exchange holds a log that is to replace the one that is served.
type exchange struct {
	prepared string     // its directory
	served   chan error // holds one: nil when it is served, or why it is not
}

// serveLog serves until ctx ends, or until there is another log to serve. Then it stops in order: no new deliveries,
// those under way answered, rows written, log closed.
func serveLog(ctx context.Context, c *settings.Config, logger *slog.Logger, control *owner.Server, started func(*Server)) (next *exchange, err error) {
	sv := &Server{Node: newNode(c, logger), failed: make(chan error, 3)}
	exchanges := make(chan *exchange)
	sv.replace = func(ctx context.Context, prepared string) error {
		x := &exchange{prepared, make(chan error, 1)}
		select {
		case exchanges <- x:
		case <-sv.ending.Done():
			return context.Canceled
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case err := <-x.served:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := sv.open(ctx); err != nil {
		return nil, err
	}
	defer sv.close()

	folding, stopFolding := context.WithCancel(context.Background())
	var folded sync.WaitGroup
	folded.Go(func() { sv.Store.Run(folding) })
	folded.Go(func() { sv.settle(folding) })
	defer func() {
		stopFolding()
		folded.Wait()
	}()
	defer sv.loop.Start()()

	control.Serve(sv.handler(), func(err error) { sv.failed <- err })
	sv.hooks.Serve(sv.failed)
	started(sv)
	select {
	case <-ctx.Done():
		sv.logger.Info("stopping")
		control.Stop()
	case next = <-exchanges:
	case err = <-sv.failed:
		control.Stop()
	case <-sv.log.Stuck():
		err = sv.log.Err()
		control.Stop()
	}
	sv.hooks.Stop(sv.logger)
	sv.web.Stop(sv.logger)
	return next, err
}

// open opens everything. The pages' address is served from the beginning, with how far the log has been read;
// deliveries wait until they can be taken.
func (sv *Server) open(ctx context.Context) (err error) {
	c := sv.Config
	if sv.sources, err = c.IngestSources(); err != nil {
		return err
	}
	sv.fills = map[string][]string{}
	for i := range c.Sources {
		sv.fills[c.Sources[i].System.Kind] = modelsFedBy(c.Sources[i].System)
	}
	limit, err := listen.DescriptorLimit()
	if err != nil {
		return err
	}
	share := listen.SharesOf(limit)
	hooks, err := net.Listen("tcp", c.HooksListen)
	if err != nil {
		return fmt.Errorf("couldn't listen for deliveries: %w; choose another address with --hooks-listen", err)
	}
	pages, err := net.Listen("tcp", c.WebListen)
	if err != nil {
		hooks.Close()
		return fmt.Errorf("couldn't listen for the pages: %w; choose another address with --web-listen", err)
	}
	c.HooksListen, c.WebListen = hooks.Addr().String(), pages.Addr().String() // a port that was chosen stays
	if c.HooksURL == "" {
		c.HooksURL = settings.URL(hooks.Addr().String())
	}
	if c.WebURL == "" {
		c.WebURL = settings.URL(pages.Addr().String())
	}
	start := &starting{}
	sv.reading, sv.subscribers = start.reading(sv.logger), share.Subscribers
	sv.web = listen.New("pages", listen.Bound(pages, share.Web, c.Proxies), sv.waiting.count(start))
	sv.web.Serve(sv.failed)
	handler, err := sv.openPages(ctx, share.Web/2)
	if err != nil {
		sv.web.Stop(sv.logger)
		sv.close()
		return errors.Join(err, hooks.Close())
	}
	edge := ingest.New(ingest.Options{
		Sources: sv.sources, Log: sv.log, Keys: sv.keys, MaxBody: c.MaxBody, AppendWait: c.AppendWait, TrustedProxies: c.Proxies, Now: time.Now, Logger: sv.logger,
		Handshake: sv.challenged,
	})
	sv.endpoints = settings.URL(listen.LocalAddress(hooks.Addr()))
	sv.hooks = listen.New("deliveries", listen.Bound(hooks, share.Hooks, c.Proxies), edge)
	start.handler.Store(&handler)
	return nil
}

// openPages opens the log, the read models, and what shows them, with so many streams of changes at most.
func (sv *Server) openPages(ctx context.Context, live int) (http.Handler, error) {
	if err := sv.openLog(ctx, sv.Config.NatsListen); err != nil {
		return nil, err
	}
	if _, err := sv.readModels(); err != nil {
		return nil, err
	}
	asker, err := sv.asker()
	if err != nil {
		return nil, err
	}
	if err := asker.Open(func(name, filter string) (ask.Queue, error) { return sv.log.Queue(ctx, name, filter) }); err != nil {
		return nil, err
	}
	sv.lost = sv.lostSince
	if addr := sv.log.Addr(); addr != "" {
		sv.Config.NatsListen = addr
	}
	return web.New(web.Options{
		Store: sv.Store, Log: sv.log, Providers: sv.providers, Metrics: sv.metrics(), Ready: sv.ready, Version: version.String(), Hosts: hostsOf(sv.Config), Live: live,
		Now: time.Now, Logger: sv.logger, First: web.FirstSteps{InitCommand: "certtrail init", ConfigFile: settings.DefaultFile},
		Delegation: sv.delegation, ClockTrouble: asker.ClockTrouble, URL: sv.Config.WebURL, Calendar: newCalendarSecret(sv.Config.DataDir),
		Decide: sv.decide, TestDelivery: sv.testSource, Warnings: sv.warnings,
	})
}

// lostSince counts the deliveries of the source that the log could not take since the start.
func (sv *Server) lostSince(source string) uint64 {
	for _, s := range sv.sources {
		if s.Name == source {
			return s.Counts().Lost
		}
	}
	return 0
}

// hostsOf returns the names by which browsers may ask for the pages; any other belongs to a stranger's page that points
// its own name here.
func hostsOf(c *settings.Config) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, u := range []string{c.WebURL, settings.URL(c.WebListen)} {
		if parsed, err := url.Parse(u); err == nil && parsed.Hostname() != "" {
			hosts = append(hosts, parsed.Hostname())
		}
	}
	return hosts
}

// providers returns every source as the pages show it.
func (sv *Server) providers() []web.Provider {
	list := make([]web.Provider, 0, len(sv.sources))
	for i, s := range sv.sources {
		set := sv.Config.Sources[i]
		counts := s.Counts()
		p := web.Provider{
			Name: s.Name, Title: set.Title(), On: s.Provider != nil, Howto: set.System.Howto, HowtoEnable: set.CredentialSettings(),
			LastAt: counts.LastAt, Accepted: counts.Accepted, Quarantined: counts.Quarantined, Refused: counts.Refused, RefusedFor: counts.RefusedFor, Lost: counts.Lost,
			Fills: sv.fills[set.System.Kind], Asked: sv.apiStatus(set), Tokens: sv.tokensOf(s.Name), Tested: sv.tests.of(s.Name),
		}
		if p.On {
			p.Remarks = set.Remarks()
		}
		if len(set.System.Samples) > 0 {
			p.SendExample = "certtrail send " + s.Name + " " + set.System.Samples[0].Event
		}
		for _, feed := range settings.Feeds(set.System) {
			p.Endpoints = append(p.Endpoints, sv.Config.HooksURL+ingest.Path(s.Name, feed, "{token}"))
		}
		list = append(list, p)
	}
	return list
}

// readyTimeout limits how long the log may take to say that it would take a delivery.
const readyTimeout = 2 * time.Second

// ready tells whether a delivery would be taken, which the log is asked, and whether pages can be read. A gap in the
// log is reported, but is no reason to send deliveries elsewhere.
func (sv *Server) ready() (bool, any) {
	report := map[string]any{"log": "ok"}
	ok := true
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := sv.log.Ready(ctx); err != nil {
		ok, report["log"] = false, err.Error()
	}
	status, missing, err := sv.Store.Status(context.Background())
	if err != nil {
		return false, map[string]any{"log": report["log"], "projections": err.Error()}
	}
	for _, s := range status {
		ok = ok && (s.State == projections.StateLive || s.State == projections.StateCatchingUp)
	}
	report["projections"], report["gaps"] = status, append([]schema.Gap{}, missing.Gaps...)
	return ok, report
}

// SubscribersAt returns the address that subscribers connect to; "" where there is none.
func (sv *Server) SubscribersAt() string { return sv.log.Addr() }

// Announce tells a person where everything is.
func (sv *Server) Announce(w io.Writer) {
	fmt.Fprintf(w, "certtrail %s is running.\n\n", version.String())
	fmt.Fprintf(w, "  pages       %s\n", sv.Config.WebURL)
	fmt.Fprintf(w, "  deliveries  %s\n", sv.Config.HooksURL)
	if addr := sv.SubscribersAt(); addr != "" {
		fmt.Fprintf(w, "  subscribers nats://subscriber@%s\n", addr)
	}
	fmt.Fprintln(w)
	on := 0
	for i, s := range sv.sources {
		if s.Provider == nil {
			sv.logger.Info("a source is off", "source", s.Name, "what_to_do", s.Enable)
			continue
		}
		on++
		for _, remark := range sv.Config.Sources[i].Remarks() {
			sv.logger.Warn("a source is on, but: "+remark, "source", s.Name)
		}
		for _, feed := range s.Provider.Feeds() {
			fmt.Fprintf(w, "  %-22s %s\n", sv.Config.Sources[i].Title(), sv.Config.HooksURL+ingest.Path(s.Name, feed, "{token}"))
		}
	}
	if on == 0 {
		fmt.Fprintln(w, "No provider is on yet. Run `certtrail init`, which writes certtrail.yaml with credentials for each, and start again.")
	}
	fmt.Fprintln(w)
}
