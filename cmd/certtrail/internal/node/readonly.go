package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/listen"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web"
)

// titlesOf returns the sources by name, for a database that none of them delivers to.
func titlesOf(c *settings.Config) []web.Provider {
	var list []web.Provider
	for _, s := range c.Sources {
		list = append(list, web.Provider{Name: s.Name, Title: s.Title()})
	}
	return list
}

// ServeReadOnly serves the pages and the API over one database, without a log and without taking deliveries, until ctx
// ends. The clock is the moment that the database was made of.
func ServeReadOnly(ctx context.Context, c *settings.Config, readOnly bool, db string, logTo, out io.Writer) error {
	if !readOnly {
		return errors.New("--db shows a database as it is: it needs --read-only")
	}
	if db == "" {
		return errors.New("--read-only shows a database: name it with --db FILE; certtrail replay --out FILE makes one")
	}
	logger := slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: c.LogLevel}))
	store, seq, asOf, err := projections.OpenReadOnly(db, logger)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now
	if !asOf.IsZero() {
		now = func() time.Time { return asOf }
	}
	limit, err := listen.DescriptorLimit()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.WebListen)
	if err != nil {
		return fmt.Errorf("couldn't listen for the pages: %w; choose another address with --web-listen", err)
	}
	if c.WebURL == "" {
		c.WebURL = settings.URL(l.Addr().String())
	}
	handler, err := web.New(web.Options{
		Store: store, Providers: func() []web.Provider { return titlesOf(c) }, Version: version.String(), Hosts: hostsOf(c), Now: now, Logger: logger,
		ReadOnly: &web.ReadOnly{AsOf: asOf, AsOfSeq: seq}, URL: c.WebURL,
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	pages := listen.New("pages", listen.Bound(l, listen.SharesOf(limit).Web, c.Proxies), handler)
	failed := make(chan error, 1)
	pages.Serve(failed)
	fmt.Fprintf(out, "certtrail %s shows %s as of event %s.\n\n  pages       %s\n\n", version.String(), db, text.Commas(seq), c.WebURL)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	pages.Stop(logger)
	return err
}
