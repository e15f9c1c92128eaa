package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ownerWait is how long a command waits for the socket of a process that has just taken the directory.
const ownerWait = 5 * time.Second

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
