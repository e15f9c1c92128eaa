package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func replayCommand() *cobra.Command {
	var r replay
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Rebuild the read models from the log, prove them right, or build those of a moment",
		Long: `Rebuild the read models from the log. A running server builds them beside the ones in use: pages answer from those until the new ones have caught up.

With --verify nothing is changed: the read models are built aside and compared with those in use, row by row. The exit status is 1 if they differ.
With --out the read models are built into a database of their own, as of --until-seq or --until-time, which certtrail serve --read-only --db shows.
With --redecode every event is derived again from its original delivery with this version's decoders; the log is not changed. Read models built so
stay so until a replay without it.

A replay that is broken off (Ctrl-C, a lost terminal) changes nothing, also where a server does the work.

Events keep the times at which they were received first, also when they are imported after others: --until-time goes up to the last event in the log's
order that was received by then.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := r.check(cmd); err != nil {
				return err
			}
			c, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer c.Close()
			if r.verify {
				return r.runVerify(cmd, c)
			}
			return r.runBuild(cmd, c)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&r.verify, "verify", false, "compare the read models with ones built aside, and change nothing")
	flags.BoolVar(&r.redecode, "redecode", false, "derive every event again from its original delivery")
	flags.Uint64Var(&r.untilSeq, "until-seq", 0, "build the state as of this event, into --out")
	flags.StringVar(&r.untilTime, "until-time", "", "build the state as of this time (RFC 3339, or a date), into --out")
	flags.StringVar(&r.out, "out", "", "the database to build, which must not exist")
	settings.AddOwnerSettings(cmd)
	return cmd
}

// replay holds what the command was asked for.
type replay struct {
	verify, redecode bool
	untilSeq         uint64
	untilTime, out   string
}

func (r *replay) check(cmd *cobra.Command) error {
	until := cmd.Flags().Changed("until-seq") || r.untilTime != ""
	switch {
	case cmd.Flags().Changed("until-seq") && r.untilTime != "":
		return errors.New("--until-seq and --until-time name two moments; give one of them")
	case until && r.untilSeq == 0 && r.untilTime == "":
		return errors.New("--until-seq 0 is before the first event, which is 1")
	case until && r.out == "":
		return errors.New("the state of a moment needs a database of its own: name it with --out FILE")
	case r.verify && (r.out != "" || r.redecode):
		return errors.New("--verify compares the read models in use as they are; it goes with neither --out nor --redecode")
	}
	if r.untilTime != "" {
		if _, err := schema.ParseTime(r.untilTime); err != nil {
			return fmt.Errorf("--until-time: %w", err)
		}
	}
	return nil
}

func (r *replay) runBuild(cmd *cobra.Command, c *owner.Client) error {
	query := url.Values{"redecode": {strconv.FormatBool(r.redecode)}}
	if r.out != "" {
		path, err := filepath.Abs(r.out) // the owner may work in another directory
		if err != nil {
			return err
		}
		query.Set("out", path)
		query.Set("until_seq", strconv.FormatUint(r.untilSeq, 10))
		query.Set("until_time", r.untilTime)
	}
	bar := progress.NewBar(cmd.ErrOrStderr())
	var built node.Built
	err := c.Call(cmd.Context(), http.MethodPost, "/replay", query, nil, bar.Take, &built)
	bar.Clear()
	if err != nil {
		return err
	}
	took := time.Duration(built.Seconds * float64(time.Second)).Round(time.Millisecond)
	if r.out != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "%s holds the state as of event %s; show it with: certtrail serve --read-only --db %s\n", r.out, text.Commas(built.Seq), quoted(r.out))
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "The read models were rebuilt from %s events in %s.\n", text.Commas(built.Seq), took)
	if len(built.Gone) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s, and not in the new ones any more; see the operating guide on gaps\n", heldText(built.Gone))
	}
	return nil
}

func (r *replay) runVerify(cmd *cobra.Command, c *owner.Client) error {
	bar := progress.NewBar(cmd.ErrOrStderr())
	var v projections.Verification
	err := c.Call(cmd.Context(), http.MethodPost, "/verify", nil, nil, bar.Take, &v)
	bar.Clear()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	for _, t := range v.Tables {
		fmt.Fprintf(out, "%-14s %9s rows  sha256 %s\n", t.Table, text.Commas(uint64(t.Rows)), t.SHA256)
		if t.Rebuilt != "" {
			fmt.Fprintf(out, "%-14s %9s       rebuilt %s\n", "", "", t.Rebuilt)
		}
	}
	if v.Differing == 0 {
		fmt.Fprintf(out, "The read models are what the log gives%s, as of event %s.\n", redecodedNote(v.Redecoded), text.Commas(v.Seq))
		return nil
	}
	for _, d := range v.Differences {
		fmt.Fprintln(out, d)
	}
	advice := "certtrail replay rebuilds them"
	if len(v.Gone) > 0 {
		advice = heldText(v.Gone) + ", and a replay would lose what came of that: compare with a backup first"
	}
	return fmt.Errorf("the read models are not what the log gives%s, as of event %s: %s; %s",
		redecodedNote(v.Redecoded), text.Commas(v.Seq), text.Count(uint64(v.Differing), "difference"), advice)
}

func redecodedNote(redecoded bool) string {
	if redecoded {
		return " when every delivery is read again (--redecode)"
	}
	return ""
}

// quoted writes a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\"\\$&;()<>|*?[]#~`!") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
