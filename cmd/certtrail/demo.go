package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"
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
	systems.addSettings(cmd)
	return cmd
}

// runDemo is serve with settings of its own, and a player that sends through the same endpoints that providers would use.
func runDemo(cmd *cobra.Command, dir string, pace time.Duration) error {
	s, err := systems.initial(cmd.Flags())
	if err != nil {
		return err
	}
	for _, name := range []string{"hooks-listen", "web-listen", "nats-listen"} {
		if f := cmd.Flags().Lookup(name); !f.Changed {
			s.values[name] = freeAddress(s.values[name])
		}
	}
	askNobody(s)
	s.values["data-dir"] = filepath.Join(dir, "data")
	if f := cmd.Flags().Lookup("log-level"); !f.Changed {
		s.values["log-level"] = "error" // among the deliveries are some that are meant to be refused
	}
	s.file = filepath.Join(dir, defaultConfig)
	if err := s.write(s.file); err != nil {
		return err
	}
	c, err := s.config()
	if err != nil {
		return err
	}
	playing, stop := context.WithCancel(cmd.Context())
	var player sync.WaitGroup
	defer player.Wait()
	defer stop()
	return serve(cmd.Context(), c, cmd.ErrOrStderr(), func(sv *serverProcess) {
		sv.announce(cmd.OutOrStdout())
		tryIt(cmd.OutOrStdout(), s, c, sv.subscribersAt())
		player.Go(func() { newPlayer(c.hooksURL, s.sources, pace).play(playing, cmd.OutOrStdout()) })
	})
}
