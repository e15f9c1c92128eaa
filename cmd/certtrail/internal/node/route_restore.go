package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/transfer"
)

// WithoutEvents makes sure that the data directory has no events. Nobody may have its log open.
func WithoutEvents(ctx context.Context, c *settings.Config, logger *slog.Logger) error {
	dir := LogDir(c.DataDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	report, err := embedded.Check(ctx, embedded.Options{Dir: dir, Always: c.SyncAlways, Logger: logger})
	if err != nil {
		return err
	}
	return isEmpty(report, dir)
}

// isEmpty makes sure that the log in dir has no events, and nothing that may have been some.
func isEmpty(report *embedded.Report, dir string) error {
	if len(report.Damage) > 0 {
		return fmt.Errorf("%s is damaged, and may hold events: a backup goes into a data directory without any; name another with --data-dir, or move %s away", report.Damage[0].File, dir)
	}
	if report.Events > 0 {
		return fmt.Errorf("the log in %s has events, up to number %d: a backup goes into a data directory without any; name another with --data-dir, or move %s away", dir, report.Last, dir)
	}
	return nil
}

func (o *Node) withoutEvents(ctx context.Context) error {
	report, err := o.log.Check(ctx, nil)
	if err != nil {
		return err
	}
	return isEmpty(report, LogDir(o.Config.DataDir))
}

// PrepareLog restores a snapshot into a directory beside the log, and makes sure that it holds what the backup's
// manifest says. The caller owns that directory.
func PrepareLog(ctx context.Context, c *settings.Config, snapshot io.Reader, want transfer.Summary, logger *slog.Logger) (prepared string, err error) {
	return transfer.Prepare(ctx, c.DataDir, snapshot, want, func(ctx context.Context, dir string, snapshot io.Reader) (transfer.Summary, error) {
		// max-bytes is not for it: the backup may hold more than this log is to grow to.
		return RestoreSnapshot(ctx, embedded.Options{Dir: dir, Always: c.SyncAlways, Logger: logger}, snapshot)
	})
}

// RestoreSnapshot makes a log out of a snapshot and returns what is read back from it.
func RestoreSnapshot(ctx context.Context, o embedded.Options, snapshot io.Reader) (s transfer.Summary, err error) {
	err = embedded.Restore(ctx, o, snapshot, func(l *streams.Log, last uint64) (err error) {
		s, err = transfer.Summarize(ctx, l, last, nil)
		return err
	})
	return s, err
}

// InstallLog puts a prepared log, which is durable, in the place of one without events. A crash leaves no log, or the
// whole one.
func InstallLog(dataDir, prepared string) error {
	return transfer.Install(prepared, LogDir(dataDir), func() error {
		if err := ask.ForgetState(dataDir); err != nil {
			return err
		}
		return embedded.Remove(LogDir(dataDir))
	})
}

// restore answers the route that exchanges a log without events for the one of a backup.
func (o *Node) restore(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
	if o.replace == nil {
		return nil, fmt.Errorf("process %d works on the data directory: try again when it has ended", os.Getpid())
	}
	var want transfer.Summary
	if err := json.Unmarshal([]byte(r.URL.Query().Get("stream")), &want); err != nil {
		return nil, fmt.Errorf("the request doesn't say what the backup holds: %w", err)
	}
	if !o.importing.TryLock() {
		return nil, errors.New("an import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	prepare := o.during(func(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
		if err := o.withoutEvents(ctx); err != nil {
			return nil, err
		}
		return PrepareLog(ctx, o.Config, r.Body, want, o.logger)
	})
	prepared, err := prepare(ctx, nil, r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, o.replace(ctx, prepared.(string))
}
