package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web"
)

// titles are the sources by name, for a database that none of them delivers to.
func (c *config) titles() []web.Provider {
	var list []web.Provider
	for _, s := range c.sources {
		list = append(list, web.Provider{Name: s.name, Title: s.title()})
	}
	return list
}

// serveReadOnly serves the pages and the API over one database, without a log and without taking deliveries, until ctx ends. The clock is the
// moment that the database was made of.
func serveReadOnly(ctx context.Context, c *config, readOnly bool, db string, logTo, out io.Writer) error {
	if !readOnly {
		return errors.New("--db shows a database as it is: it needs --read-only")
	}
	if db == "" {
		return errors.New("--read-only shows a database: name it with --db FILE; certtrail replay --out FILE makes one")
	}
	logger := slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: c.logLevel}))
	store, seq, asOf, err := projections.OpenReadOnly(db, logger)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now
	if !asOf.IsZero() {
		now = func() time.Time { return asOf }
	}
	limit, err := descriptorLimit()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.webListen)
	if err != nil {
		return fmt.Errorf("couldn't listen for the pages: %w; choose another address with --web-listen", err)
	}
	if c.webURL == "" {
		c.webURL = "http://" + l.Addr().String()
	}
	handler, err := web.New(web.Options{
		Store: store, Providers: c.titles, Version: version(), Hosts: hostsOf(c), Now: now, Logger: logger,
		ReadOnly: &web.ReadOnly{AsOf: asOf, AsOfSeq: seq}, URL: c.webURL, Limits: limits(), Outlives: outlivesRule, LapsesFirst: lapsesFirst,
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	pages := newListener("pages", bounded(l, sharesOf(limit).web, c.proxies), handler)
	failed := make(chan error, 1)
	pages.serve(failed)
	fmt.Fprintf(out, "certtrail %s shows %s as of event %s.\n\n  pages       %s\n\n", version(), db, words.Number(seq), c.webURL)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	pages.stop(logger)
	return err
}
