package main

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
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

func serveCommand() *cobra.Command {
	var readOnly bool
	var db string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the whole system: endpoints, log, read models, pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(cmd.Flags())
			if err != nil {
				return err
			}
			c, err := s.config()
			if err != nil {
				return err
			}
			if readOnly || db != "" {
				return serveReadOnly(cmd.Context(), c, readOnly, db, cmd.ErrOrStderr(), cmd.OutOrStdout())
			}
			return serve(cmd.Context(), c, cmd.ErrOrStderr(), func(sv *serverProcess) { sv.announce(cmd.OutOrStdout()) })
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "show the pages of one database, without a log and without taking deliveries; needs --db")
	cmd.Flags().StringVar(&db, "db", "", "the database to show with --read-only: what certtrail replay --out made")
	addSettings(cmd)
	return cmd
}

// serverProcess is the one place that knows everybody. It owns the data directory, so commands reach it over control.sock.
type serverProcess struct {
	*owner
	sources []*ingest.Source
	fills   map[string][]string // by the kind of a source
	hooks   *listener
	web     *listener
	failed  chan error // of a listener
	tested  tested
}

// serve runs until ctx ends. It owns the data directory all the time, though what it has open there may be exchanged once, for a restored log.
func serve(ctx context.Context, c *config, logTo io.Writer, started func(*serverProcess)) error {
	release, err := lockDir(c.dataDir)
	if err != nil {
		return err
	}
	defer release()
	defer tuneRuntime()()
	control, err := listenControl(c.dataDir)
	if err != nil {
		return err
	}
	defer control.stop()
	logger, unguard := guardAgainstCrashes(c.dataDir, logTo, c.logLevel)
	defer unguard()
	if allowed := allowedMemory(os.DirFS("/")); allowed < littleMemory {
		logger.Warn("the control group allows little memory; raise its limit (MemoryMax=) before the log is large", "mib", allowed>>20, "enough_mib", littleMemory>>20)
	}
	for _, name := range strangersIn(os.Environ()) {
		logger.Warn("the environment names a setting that does not exist; certtrail serve --help lists all", "name", name)
	}
	for {
		next, err := serveLog(ctx, c, logger, control, started)
		if next == nil || err != nil {
			return err
		}
		// Deliveries were taken until now, so only now is it sure whether there are events.
		refused := withoutEvents(ctx, c, logger)
		if refused == nil {
			logger.Info("the log is exchanged for a restored one")
			err = installLog(c.dataDir, next.prepared)
		} else {
			err = os.RemoveAll(filepath.Dir(next.prepared))
		}
		if err != nil {
			return err
		}
		started = func(*serverProcess) { next.served <- refused }
	}
}

// exchange is a log that is to take the place of the one that is served.
type exchange struct {
	prepared string     // its directory
	served   chan error // holds one: nil when it is served, or why it is not
}

// serveLog serves until ctx ends, or until there is another log to serve. Then it stops in order: no new deliveries, those under way answered, rows
// written, log closed.
func serveLog(ctx context.Context, c *config, logger *slog.Logger, control *controlServer, started func(*serverProcess)) (next *exchange, err error) {
	sv := &serverProcess{owner: newOwner(c, logger), failed: make(chan error, 3)}
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
	folded.Go(func() { sv.store.Run(folding) })
	folded.Go(func() { sv.settle(folding) })
	defer func() {
		stopFolding()
		folded.Wait()
	}()
	defer sv.asking.start()()

	control.serve(sv.handler(), func(err error) { sv.failed <- err })
	sv.hooks.serve(sv.failed)
	started(sv)
	select {
	case <-ctx.Done():
		sv.logger.Info("stopping")
		control.stop()
	case next = <-exchanges:
	case err = <-sv.failed:
		control.stop()
	case <-sv.log.Stuck():
		err = sv.log.Err()
		control.stop()
	}
	sv.hooks.stop(sv.logger)
	sv.web.stop(sv.logger)
	return next, err
}

// open opens everything. The pages' address is served from the beginning, with how far the log has been read; deliveries wait until they can be taken.
func (sv *serverProcess) open(ctx context.Context) (err error) {
	c := sv.c
	if sv.sources, err = c.ingestSources(); err != nil {
		return err
	}
	sv.fills = map[string][]string{}
	for i := range c.sources {
		sv.fills[c.sources[i].system.Kind] = fills(c.sources[i].system)
	}
	limit, err := descriptorLimit()
	if err != nil {
		return err
	}
	share := sharesOf(limit)
	hooks, err := net.Listen("tcp", c.hooksListen)
	if err != nil {
		return fmt.Errorf("couldn't listen for deliveries: %w; choose another address with --hooks-listen", err)
	}
	pages, err := net.Listen("tcp", c.webListen)
	if err != nil {
		hooks.Close()
		return fmt.Errorf("couldn't listen for the pages: %w; choose another address with --web-listen", err)
	}
	c.hooksListen, c.webListen = hooks.Addr().String(), pages.Addr().String() // a port that was chosen stays
	if c.hooksURL == "" {
		c.hooksURL = "http://" + hooks.Addr().String()
	}
	if c.webURL == "" {
		c.webURL = "http://" + pages.Addr().String()
	}
	start := &starting{}
	sv.reading, sv.subscribers = start.reading(sv.logger), share.subscribers
	sv.web = newListener("pages", bounded(pages, share.web, c.proxies), sv.answering.counted(start))
	sv.web.serve(sv.failed)
	handler, err := sv.openPages(ctx, share.web/2)
	if err != nil {
		sv.web.stop(sv.logger)
		sv.close()
		return errors.Join(err, hooks.Close())
	}
	edge := ingest.New(ingest.Options{
		Sources: sv.sources, Log: sv.log, Keys: sv.keys, MaxBody: c.maxBody, AppendWait: c.appendWait, TrustedProxies: c.proxies, Now: time.Now, Logger: sv.logger,
		Handshake: sv.asking.challenged,
	})
	sv.endpoints = localURL(hooks.Addr())
	sv.hooks = newListener("deliveries", bounded(hooks, share.hooks, c.proxies), edge)
	start.handler.Store(&handler)
	return nil
}

// openPages opens the log, the read models, and what shows them, with so many streams of changes at most.
func (sv *serverProcess) openPages(ctx context.Context, live int) (http.Handler, error) {
	if err := sv.openLog(ctx, sv.c.natsListen); err != nil {
		return nil, err
	}
	if _, err := sv.readModels(); err != nil {
		return nil, err
	}
	asking, err := sv.asks()
	if err != nil {
		return nil, err
	}
	if err := asking.open(ctx); err != nil {
		return nil, err
	}
	sv.lost = sv.lostOf
	if addr := sv.log.Addr(); addr != "" {
		sv.c.natsListen = addr
	}
	return web.New(web.Options{
		Store: sv.store, Log: sv.log, Providers: sv.providers, Metrics: sv.metrics(), Ready: sv.ready, Version: version(), Hosts: hostsOf(sv.c), Live: live,
		Now: time.Now, Logger: sv.logger, First: web.FirstSteps{InitCommand: "certtrail init", ConfigFile: defaultConfig},
		Delegation: asking.delegation, ClockTrouble: asking.clockWord, URL: sv.c.webURL, Calendar: newCalendarSecret(sv.c.dataDir),
		Decide: sv.decide, TestDelivery: sv.testSource, Warnings: sv.warnings,
	})
}

// lostOf is how many deliveries of the source the log could not take since the start.
func (sv *serverProcess) lostOf(source string) uint64 {
	for _, s := range sv.sources {
		if s.Name == source {
			return s.Counts().Lost
		}
	}
	return 0
}

// hostsOf are the names the pages may be asked for by; any other is a stranger's page that points its own name here.
func hostsOf(c *config) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, u := range []string{c.webURL, "http://" + c.webListen} {
		if parsed, err := url.Parse(u); err == nil && parsed.Hostname() != "" {
			hosts = append(hosts, parsed.Hostname())
		}
	}
	return hosts
}

// providers is every source as the pages show it.
func (sv *serverProcess) providers() []web.Provider {
	list := make([]web.Provider, 0, len(sv.sources))
	for i, s := range sv.sources {
		set := sv.c.sources[i]
		counts := s.Counts()
		p := web.Provider{
			Name: s.Name, Title: set.title(), On: s.Provider != nil, Howto: set.system.Howto, HowtoEnable: set.credentialSettings(),
			LastAt: counts.LastAt, Accepted: counts.Accepted, Quarantined: counts.Quarantined, Refused: counts.Refused, RefusedFor: counts.RefusedFor, Lost: counts.Lost,
			Fills: sv.fills[set.system.Kind], Asked: sv.asking.asked(set), Tokens: sv.asking.tokensOf(s.Name), Tested: sv.tested.of(s.Name),
		}
		if p.On {
			p.Remarks = set.remarks()
		}
		if len(set.system.Samples) > 0 {
			p.SendExample = "certtrail send " + s.Name + " " + set.system.Samples[0].Event
		}
		for _, feed := range feeds(set.system) {
			p.Endpoints = append(p.Endpoints, sv.c.hooksURL+ingest.Path(s.Name, feed, "{token}"))
		}
		list = append(list, p)
	}
	return list
}

// feeds are the endpoints that a source of the system has, also before it is on.
func feeds(system schema.System) []schema.Feed {
	return system.New(func(string) string { return "any" }).Feeds()
}

// readyTimeout is how long the log may take to say that it would take a delivery.
const readyTimeout = 2 * time.Second

// ready tells whether a delivery would be taken, which the log is asked, and whether pages can be read. A gap in the log is reported, but is no reason to send deliveries elsewhere.
func (sv *serverProcess) ready() (bool, any) {
	report := map[string]any{"log": "ok"}
	ok := true
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := sv.log.Ready(ctx); err != nil {
		ok, report["log"] = false, err.Error()
	}
	status, missing, err := sv.store.Status(context.Background())
	if err != nil {
		return false, map[string]any{"log": report["log"], "projections": err.Error()}
	}
	for _, s := range status {
		ok = ok && (s.State == projections.StateLive || s.State == projections.StateCatchingUp)
	}
	report["projections"], report["gaps"] = status, append([]schema.Gap{}, missing.Gaps...)
	return ok, report
}

// announce tells a person where everything is.
func (sv *serverProcess) announce(w io.Writer) {
	fmt.Fprintf(w, "certtrail %s is running.\n\n", version())
	fmt.Fprintf(w, "  pages       %s\n", sv.c.webURL)
	fmt.Fprintf(w, "  deliveries  %s\n", sv.c.hooksURL)
	if addr := sv.log.Addr(); addr != "" {
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
		for _, remark := range sv.c.sources[i].remarks() {
			sv.logger.Warn("a source is on, but: "+remark, "source", s.Name)
		}
		for _, feed := range s.Provider.Feeds() {
			fmt.Fprintf(w, "  %-22s %s\n", sv.c.sources[i].title(), sv.c.hooksURL+ingest.Path(s.Name, feed, "{token}"))
		}
	}
	if on == 0 {
		fmt.Fprintln(w, "No provider is on yet. Run `certtrail init`, which writes certtrail.yaml with credentials for each, and start again.")
	}
	fmt.Fprintln(w)
}
