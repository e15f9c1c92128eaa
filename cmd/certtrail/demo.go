package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

func demoCommand() *cobra.Command {
	var pace time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole system on a throw-away directory, with deliveries of every provider arriving",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "certtrail-demo-")
			if err != nil {
				return fmt.Errorf("couldn't make a throw-away directory: %w", err)
			}
			defer os.RemoveAll(dir)
			return runDemo(cmd, dir, pace)
		},
	}
	cmd.Flags().DurationVar(&pace, "pace", 2*time.Second, "time between two deliveries")
	systems.AddSettings(cmd)
	return cmd
}

// runDemo serves with settings of its own, and with a player that sends through the same endpoints that providers would
// use.
func runDemo(cmd *cobra.Command, dir string, pace time.Duration) error {
	s, err := systems.Initial(cmd.Flags())
	if err != nil {
		return err
	}
	for _, name := range []string{"hooks-listen", "web-listen", "nats-listen"} {
		if f := cmd.Flags().Lookup(name); !f.Changed {
			s.Values[name] = demo.FreeAddress(s.Values[name])
		}
	}
	demo.AskNobody(s)
	s.Values["data-dir"] = filepath.Join(dir, "data")
	if f := cmd.Flags().Lookup("log-level"); !f.Changed {
		s.Values["log-level"] = "error" // among the deliveries are some that are meant to be refused
	}
	s.File = filepath.Join(dir, settings.DefaultFile)
	if err := s.Write(s.File); err != nil {
		return err
	}
	c, err := s.Config()
	if err != nil {
		return err
	}
	playing, stop := context.WithCancel(cmd.Context())
	var player sync.WaitGroup
	defer player.Wait()
	defer stop()
	return node.Serve(cmd.Context(), c, cmd.ErrOrStderr(), func(sv *node.Server) {
		sv.Announce(cmd.OutOrStdout())
		demo.TryIt(cmd.OutOrStdout(), s, c, sv.SubscribersAt())
		player.Go(func() { demo.NewPlayer(c.HooksURL, s.Sources, pace).Play(playing, cmd.OutOrStdout()) })
	})
}
