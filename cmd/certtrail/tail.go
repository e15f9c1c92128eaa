package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

func tailCommand() *cobra.Command {
	var asJSON bool
	var after uint64
	cmd := &cobra.Command{
		Use:   "tail [SUBJECT-FILTER]",
		Short: "Show events as the log takes them",
		Long: "Show each event as the running server's log takes it: its time, its subject, and what happened.\n" +
			"SUBJECT-FILTER is a NATS filter such as certs.order.issued.>; --after-seq begins in the past, and also works without a server: then it ends where the log does.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{}
			if len(args) > 0 {
				if _, err := schema.ParseFilter(args[0]); err != nil {
					return err
				}
				query.Set("filter", args[0])
			}
			past := cmd.Flags().Changed("after-seq")
			if past {
				query.Set("after_seq", strconv.FormatUint(after, 10))
			}
			show := showText
			if asJSON {
				show = showJSON
			}
			return tail(cmd, query, past, show)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the CloudEvents, one on a line")
	cmd.Flags().Uint64Var(&after, "after-seq", 0, "begin after the event with this `sequence`; 0 is the beginning")
	settings.AddOwnerSettings(cmd)
	return cmd
}

// tail follows the log of a running server until it is interrupted, or shows the past of a log that nobody serves.
func tail(cmd *cobra.Command, query url.Values, past bool, show func(io.Writer, owner.Event) error) error {
	s, err := systems.Read(cmd.Flags())
	if err != nil {
		return err
	}
	dir := s.Get("data-dir")
	server, who, err := owner.Find(cmd.Context(), dir)
	switch {
	case err == nil && who.Serving:
		query.Set("follow", "1")
	case err == nil && past:
	case past && errors.Is(err, owner.ErrNoOwner):
		if server, err = reachOwner(cmd, false); err != nil {
			return err
		}
	case err == nil || errors.Is(err, owner.ErrNoOwner):
		if err == nil {
			server.Close()
		}
		return fmt.Errorf("no server runs on the data directory %s: start one with `certtrail serve`, name another with --data-dir, or see the past with --after-seq 0", dir)
	default:
		return err
	}
	defer server.Close()
	err = server.Stream(cmd.Context(), "/events", query, func(events io.Reader) error {
		return owner.ReadEvents(events, func(e owner.Event) error { return show(cmd.OutOrStdout(), e) })
	}, nil)
	if errors.Is(err, context.Canceled) {
		return nil // by who watches
	}
	return err
}

func showJSON(w io.Writer, e owner.Event) error {
	_, err := fmt.Fprintf(w, "%s\n", e.Data)
	return err
}

func showText(w io.Writer, s owner.Event) error {
	e, err := schema.DecodeMeaning(s.Data)
	if err != nil {
		_, err = fmt.Fprintf(w, "%-24s  event %d cannot be read: %v\n", "?", s.Seq, err)
		return err
	}
	_, err = fmt.Fprintf(w, "%s  %s  %s\n", e.Time, e.NATSSubject(), printable(words.Event(e, words.ForPrograms)))
	return err
}

// printable writes text from outside as a terminal may be given it: without what would command the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
