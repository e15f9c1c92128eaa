package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/certtrail/certtrail/streams"
)

const (
	reviveInterval  = time.Second // between two attempts to start a frozen server again, the first time; twice as long each time that it freezes at once
	maxRevive       = 8 * time.Second
	openInterval    = 100 * time.Millisecond // between two attempts to open a file
	probePatience   = time.Second            // how long a disk may take to write a page
	questionTimeout = time.Second
	silence         = 30 * time.Second // after which a server that does not answer is taken for stuck, and not for slow
)

// freeze notes that the server takes no more messages.
func (c *committer) freeze(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen != nil || c.failure != nil {
		return
	}
	c.frozen, c.frozenAt = err, time.Now()
	if errors.Is(err, errRepair) {
		c.logger.Info("the log is being repaired; appends wait")
		return
	}
	c.logger.Error("the log takes no events, which is tried again until it does", "error", err)
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (c *committer) frozenErr() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}

func (c *committer) silentSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozenAt
}

// revive makes a frozen stream take messages again: a server that was only slow is asked, any other is started again,
// once the disk can be written.
func (c *committer) revive(frozen error) error {
	if time.Since(c.revived) < c.reviveWait {
		return frozen
	}
	c.revived, c.reviveWait = time.Now(), min(max(2*c.reviveWait, reviveInterval), maxRevive)
	if err := c.probe.write(); err != nil {
		return err
	}
	if errors.Is(frozen, errNoAnswer) {
		if c.publisher.settle(questionTimeout) == nil {
			c.thaw("the log takes events again: its disk was slow")
			return nil
		}
		if time.Since(c.silentSince()) < silence {
			return frozen
		}
	}
	// What waits for a sync is synced and answered first: the server is to be gone meanwhile.
	synced := make(chan struct{})
	c.pass(batch{synced: []chan struct{}{synced}})
	<-synced
	if err := c.err(); err != nil {
		return err
	}
	if err := c.restart(); err != nil {
		return err
	}
	c.thaw("the log takes events again: its server was started again")
	return nil
}

func (c *committer) restart() error {
	end, err := c.log.restart(context.Background())
	if errors.Is(err, errStuck) {
		return c.giveUp(err)
	}
	if err != nil {
		c.logger.Error("the log's server could not be started again, which is tried again", "error", err)
		return err
	}
	c.files.release()
	if err := c.files.syncAll(c.log.guard.layout.dir); err != nil {
		return fmt.Errorf("couldn't sync the log's files: %w", err)
	}
	if err := c.files.hold(); err != nil {
		return err
	}
	if c.end, err = c.end.reopen(end, c.files.sync); err != nil {
		return err
	}
	s, err := c.log.use()
	if err != nil {
		return err
	}
	c.publisher = newPublisher(s.nc, maxBatch)
	c.acked = end
	c.durable.Advance(end, nil)
	return nil
}

func (c *committer) thaw(how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = nil
	c.logger.Info(how)
}

// giveUp ends the log for this process.
func (c *committer) giveUp(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = fmt.Errorf("%w: %w", streams.ErrUnavailable, err)
	close(c.stuck)
	return c.failure
}

// diskProbe writes to a disk, to see whether that works.
type diskProbe struct {
	dir     string
	writing chan error // of a write that has not ended; nil: there is none
}

// write writes and syncs a page in a file of its own. A write that takes long goes on, and is asked after the next
// time.
func (p *diskProbe) write() error {
	if p.writing == nil {
		p.writing = make(chan error, 1)
		go func() { p.writing <- writeProbe(filepath.Join(p.dir, "probe")) }()
	}
	select {
	case err := <-p.writing:
		p.writing = nil
		return err
	case <-time.After(probePatience):
		return fmt.Errorf("the disk of %s does not answer", p.dir)
	}
}

func writeProbe(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, os.Getpagesize()))
	return errors.Join(err, fdatasync(f), f.Close(), os.Remove(path))
}
