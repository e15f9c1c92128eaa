package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

// ownerWait limits how long a command waits for the socket of a process that has just taken the directory.
const ownerWait = 5 * time.Second

func Reach(ctx context.Context, c *settings.Config, logger *slog.Logger) (*owner.Client, error) {
	for deadline := time.Now().Add(ownerWait); ; {
		release, locked := owner.Lock(c.DataDir)
		if locked == nil {
			return ownIt(ctx, c, logger, release)
		}
		if !errors.Is(locked, owner.ErrInUse) {
			return nil, locked
		}
		other, _, err := owner.Find(ctx, c.DataDir)
		if err == nil {
			return other, nil
		}
		if !errors.Is(err, owner.ErrNoOwner) || time.Now().After(deadline) {
			return nil, fmt.Errorf("%w, which does not answer on %s: %w", locked, owner.SocketName, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond): // it has the lock and is about to make the socket, or is about to go
		}
	}
}

// ownIt makes this process the owner, and speaks to itself: so it does what a server would, and serves other commands
// meanwhile.
func ownIt(ctx context.Context, c *settings.Config, logger *slog.Logger, release func()) (*owner.Client, error) {
	server, err := owner.Listen(c.DataDir)
	if err != nil {
		release()
		return nil, err
	}
	o, err := open(ctx, c, logger)
	if err != nil {
		server.Stop()
		release()
		return nil, err
	}
	server.Serve(o.handler(), func(err error) { logger.Error("no more commands are answered", "error", err) })
	untune := Tune()
	k := owner.Connect(c.DataDir)
	hangUp := k.Close
	k.Close = func() {
		hangUp()
		server.Stop()
		o.close()
		release()
		untune()
	}
	return k, nil
}
