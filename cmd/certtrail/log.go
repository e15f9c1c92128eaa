package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/embedded"
)

// errUnsound reports that a check found something.
var errUnsound = errors.New("the log is not sound")

func logCommand() *cobra.Command {
	return group("log", "Check the log's files, repair them, and settle what is gone", logCheckCommand(), logRepairCommand(), logAcceptCommand())
}

func logCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read the whole log and say what is damaged, changing nothing",
		Long: "Read every event of the log by its checksum and say what is damaged or gone. Nothing is changed, and a server may run on the log meanwhile.\n" +
			"The exit status is 1 where the log is not sound.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := logReport(cmd, http.MethodGet, "/log/check", embedded.Check)
			if err != nil {
				return err
			}
			printReport(cmd.OutOrStdout(), report)
			if !report.Sound() {
				return errUnsound
			}
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}

func logRepairCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Put back every event of the log that can be saved",
		Long: "Put every event that its checksum vouches for back in its place, as each start of a server does. What is damaged is kept beside the log.\n" +
			"Deliveries wait while a running server does it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := logReport(cmd, http.MethodPost, "/log/repair", embedded.Repair)
			if err != nil {
				return err
			}
			printReport(cmd.OutOrStdout(), report)
			if len(report.Damage) > 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "All other events have been put back.")
			}
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}

// logReport has the owner of the data directory look through its log, or else does it here with the closed one.
func logReport(cmd *cobra.Command, method, path string, do func(context.Context, embedded.Options) (*embedded.Report, error)) (*embedded.Report, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	far := progress.NewCounter(cmd.ErrOrStderr())
	defer far.Clear()
	release, locked := owner.Lock(c.DataDir)
	if locked == nil {
		defer release()
		logger := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: c.LogLevel}))
		return do(cmd.Context(), embedded.Options{Dir: node.LogDir(c.DataDir), Always: c.SyncAlways, Logger: logger, Progress: func(done, total int) {
			far.Show("read %d of %d files", done, total)
		}})
	}
	if !errors.Is(locked, owner.ErrInUse) {
		return nil, locked
	}
	server, _, err := owner.Find(cmd.Context(), c.DataDir)
	if err != nil {
		return nil, fmt.Errorf("%w, which does not answer on %s: %w", locked, owner.SocketName, err)
	}
	defer server.Close()
	var report embedded.Report
	err = server.Call(cmd.Context(), method, path, nil, nil, func(told []byte) {
		var p node.FilesRead
		if json.Unmarshal(told, &p) == nil {
			far.Show("read %d of %d files", p.Done, p.Total)
		}
	}, &report)
	return &report, err
}

func printReport(w io.Writer, r *embedded.Report) {
	fmt.Fprintf(w, "The log has %s up to number %s.\n", text.Count(r.Events, "event"), text.Commas(r.Last))
	for _, d := range r.Damage {
		if d.Cut {
			fmt.Fprintf(w, "%s ends with %d bytes of an event that was never whole, as a crash leaves it.\n", d.File, d.Bytes)
			continue
		}
		fmt.Fprintf(w, "%s is damaged: %s in %s.\n", d.File, text.Count(uint64(d.Bytes), "byte"), text.Count(uint64(d.Places), "place"))
	}
	if len(r.Gaps) > 0 {
		fmt.Fprintf(w, "%s gone: %s. Compare with a backup, or reconcile; then settle it: certtrail log accept-gap %s\n", countAre(r.Gaps.Events(), "event"), r.Gaps, r.Gaps[0])
	}
	if len(r.Accepted) > 0 {
		fmt.Fprintf(w, "%s gone, which an operator has accepted: %s.\n", countAre(r.Accepted.Events(), "event"), r.Accepted)
	}
	if r.Sound() {
		fmt.Fprintln(w, "Nothing is damaged.")
	}
}

// countAre writes "1 event is" or "2 events are".
func countAre(n uint64, what string) string {
	if n == 1 {
		return text.Count(n, what) + " is"
	}
	return text.Count(n, what) + " are"
}

func logAcceptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accept-gap FIRST-LAST",
		Short: "Accept that events are gone from the log, and stop reporting them",
		Long: "Settle a gap in the log, once you have compared it with a backup or reconciled with the providers. An event records it, and certtrail stops reporting the gap.\n" +
			"When every gap is settled, the read models are rebuilt without what is gone, and those that were kept because they know more are removed.",
		Args: needs(1, "a gap of the log, for example: certtrail log accept-gap 101-110"),
		RunE: func(cmd *cobra.Command, args []string) error {
			gap, err := schema.ParseGap(args[0])
			if err != nil {
				return err
			}
			server, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer server.Close()
			var accepted node.AcceptedGap
			bar := progress.NewBar(cmd.ErrOrStderr())
			err = server.Call(cmd.Context(), http.MethodPost, "/log/accept-gap", url.Values{"gap": {gap.String()}}, nil, bar.Take, &accepted)
			bar.Clear()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Event %s says that %s gone.\n", text.Commas(accepted.Seq), text.EventsAre(gap))
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}
