package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// ownerWait is how long a command waits for the socket of a process that has just taken the directory.
const ownerWait = 5 * time.Second

// reachOwner speaks to the process that has the data directory, or else makes this one its owner. Unless create is set, there must be a log in it.
func reachOwner(cmd *cobra.Command, create bool) (*control, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(logDir(c.dataDir)); err != nil && !create {
		return nil, fmt.Errorf("there is no log in the data directory %s: name another with --data-dir (%w)", c.dataDir, err)
	}
	return ownerOf(cmd.Context(), c, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: c.logLevel})))
}

// configOf reads the settings of a command.
func configOf(cmd *cobra.Command) (*config, error) {
	s, err := readSettings(cmd.Flags())
	if err != nil {
		return nil, err
	}
	return s.config()
}

func ownerOf(ctx context.Context, c *config, logger *slog.Logger) (*control, error) {
	for deadline := time.Now().Add(ownerWait); ; {
		release, locked := lockDir(c.dataDir)
		if locked == nil {
			return ownIt(ctx, c, logger, release)
		}
		if !errors.Is(locked, errInUse) {
			return nil, locked
		}
		other, _, err := findOwner(ctx, c.dataDir)
		if err == nil {
			return other, nil
		}
		if !errors.Is(err, errNoOwner) || time.Now().After(deadline) {
			return nil, fmt.Errorf("%w, which does not answer on %s: %w", locked, controlName, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond): // it has the lock and is about to make the socket, or is about to go
		}
	}
}

// ownIt makes this process the owner, and speaks to itself: so it does what a server would, and serves other commands meanwhile.
func ownIt(ctx context.Context, c *config, logger *slog.Logger, release func()) (*control, error) {
	server, err := listenControl(c.dataDir)
	if err != nil {
		release()
		return nil, err
	}
	o, err := openOwner(ctx, c, logger)
	if err != nil {
		server.stop()
		release()
		return nil, err
	}
	server.serve(o.handler(), func(err error) { logger.Error("no more commands are answered", "error", err) })
	untune := tuneRuntime()
	k := connect(c.dataDir)
	hangUp := k.close
	k.close = func() {
		hangUp()
		server.stop()
		o.close()
		release()
		untune()
	}
	return k, nil
}
