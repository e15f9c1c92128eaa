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
	"path/filepath"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/aside"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/streams"
)

// withoutEvents makes sure that the data directory has no events. Nobody may have its log open.
func WithoutEvents(ctx context.Context, c *settings.Config, logger *slog.Logger) error {
	dir := LogDir(c.DataDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	report, err := streams.Check(ctx, streams.Options{Dir: dir, Always: c.SyncAlways, Logger: logger})
	if err != nil {
		return err
	}
	return isEmpty(report, dir)
}

// isEmpty makes sure that the log in dir has no events, and nothing that may have been some.
func isEmpty(report *streams.Report, dir string) error {
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

// prepareLog restores a snapshot into a directory beside the log, and makes sure that it holds what the backup's manifest says. The caller owns that directory.
func PrepareLog(ctx context.Context, c *settings.Config, snapshot io.Reader, want streams.Summary, logger *slog.Logger) (prepared string, err error) {
	owner.RemoveLeftInside(c.DataDir) // of one that failed
	outer, err := os.MkdirTemp(c.DataDir, owner.RestoringDir)
	if err != nil {
		return "", err
	}
	prepared = filepath.Join(outer, "nats")
	// max-bytes is not for it: the backup may hold more than this log is to grow to.
	got, err := streams.Restore(ctx, streams.Options{Dir: prepared, Always: c.SyncAlways, Logger: logger}, snapshot)
	if err == nil && !got.Equal(want) {
		err = fmt.Errorf("the restored log has %s up to number %d with the digest %.16s; the backup's manifest says %s up to %d with %.16s",
			text.Count(got.Events, "event"), got.LastSeq, got.Digest, text.Count(want.Events, "event"), want.LastSeq, want.Digest)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(outer))
	}
	return prepared, nil
}

// installLog puts a prepared log, which is durable, in the place of one without events. A crash leaves no log, or the whole one.
func InstallLog(dataDir, prepared string) error {
	dir := LogDir(dataDir)
	err := forgetAsked(dataDir)
	if err == nil {
		err = streams.Remove(dir)
	}
	if err == nil {
		err = os.Rename(prepared, dir)
	}
	if err == nil {
		err = aside.Sync(dataDir)
	}
	if err != nil {
		return fmt.Errorf("couldn't put the restored log in its place: %w", err)
	}
	return os.RemoveAll(filepath.Dir(prepared))
}

// restore is the route that exchanges a log without events for the one of a backup.
func (o *Node) restore(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
	if o.replace == nil {
		return nil, fmt.Errorf("process %d works on the data directory: try again when it has ended", os.Getpid())
	}
	var want streams.Summary
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
