package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
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
			return demo(cmd, dir, pace)
		},
	}
	cmd.Flags().DurationVar(&pace, "pace", 2*time.Second, "time between two deliveries")
	addSettings(cmd)
	return cmd
}

// demo is serve with settings of its own, and a player that sends through the same endpoints that providers would use.
func demo(cmd *cobra.Command, dir string, pace time.Duration) error {
	s, err := initial(cmd.Flags())
	if err != nil {
		return err
	}
	for _, name := range []string{"hooks-listen", "web-listen", "nats-listen"} {
		if f := cmd.Flags().Lookup(name); !f.Changed {
			s.values[name] = freeAddress(s.values[name])
		}
	}
	s.askNobody()
	s.values["data-dir"] = filepath.Join(dir, "data")
	if f := cmd.Flags().Lookup("log-level"); !f.Changed {
		s.values["log-level"] = "error" // among the deliveries are some that are meant to be refused
	}
	s.file = filepath.Join(dir, defaultConfig)
	if err := writeConfig(s.file, s); err != nil {
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
		tryIt(cmd.OutOrStdout(), s, sv)
		player.Go(func() { newPlayer(c.hooksURL, s, pace).play(playing, cmd.OutOrStdout()) })
	})
}

// askNobody takes out what providers and name servers would be asked with: they know nothing of what is played.
func (s *settings) askNobody() {
	s.values["dns-resolver"] = resolverOff
	for _, system := range systems {
		if system.API == nil {
			continue
		}
		for _, p := range system.API.Settings {
			s.values[system.Kind+"-"+p.Name] = p.Default
		}
	}
}

// tryIt shows how a person takes part.
func tryIt(w io.Writer, s *settings, sv *serverProcess) {
	fmt.Fprintf(w, "Deliveries are arriving; watch them at %s. Send one of your own:\n\n", sv.c.webURL)
	fmt.Fprintf(w, "  curl -H 'X-WEBHOOK-KEY: %s' -d '{\"event\":\"certificate_issued\",\"data\":{\"order_id\":4711,\"certificate_id\":4712}}' %s/hooks/digicert\n",
		s.get("digicert-webhook-key"), sv.c.hooksURL)
	fmt.Fprintf(w, "  %s send --config %s xolphin Updated-Organization\n\n", os.Args[0], s.file)
	if addr := sv.log.Addr(); addr != "" {
		fmt.Fprintf(w, "Subscribe with any NATS client, for example\n\n  nats sub --server nats://subscriber:%s@%s 'certs.order.issued.>'\n\n", s.get("nats-subscriber-password"), addr)
	}
	fmt.Fprintf(w, "Stop with Ctrl-C; everything is thrown away then.\n\n")
}

// freeAddress is the address, or one with a free port where that one is taken.
func freeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return address
	}
	defer l.Close()
	return l.Addr().String()
}
