package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// maxBatch bounds how many appends share one sync.
const maxBatch = 1024

// committer turns many appends at once into one sync: while one runs, further appends are published, and share the
// next. A lone append waits for nobody.
type committer struct {
	log     *Log
	durable *streams.Watermark
	logger  *slog.Logger

	queue chan *submission

	// Owned by run, which publishes.
	publisher  *publisher
	acked      uint64 // the last sequence that JetStream is known to have stored
	disk       *diskSpace
	probe      diskProbe
	revived    time.Time     // when it was last tried to start the server again
	reviveWait time.Duration // until the next time; 0 once the server has taken a message
	published  chan batch    // holds one: all that has been published since the last sync began

	// Owned by runSyncs, and by run while nothing is left to sync.
	files   *blockFiles
	end     *endMark
	stopped chan struct{}

	stuck chan struct{} // closed when only another process can go on

	mu       sync.Mutex
	closing  bool
	failure  error // a failed sync: nothing may be promised any more
	frozen   error // why the server takes no messages, until it does again
	frozenAt time.Time
}

// batch holds what one sync makes durable.
type batch struct {
	appends []*submission
	stored  bool            // whether there is anything to sync
	acked   uint64          // the last sequence known to be stored when all had been answered
	synced  []chan struct{} // closed when all of it has been answered
}

// and returns b with next, which was published after it. The zero batch, as a closed channel gives it, adds nothing.
func (b batch) and(next batch) batch {
	return batch{
		appends: append(b.appends, next.appends...), stored: b.stored || next.stored, acked: max(b.acked, next.acked), synced: append(b.synced, next.synced...),
	}
}

// accepted returns the events that JetStream took as new ones, in its order.
func (b batch) accepted() []schema.Record {
	records := make([]schema.Record, 0, len(b.appends))
	for _, a := range b.appends {
		if a.fresh {
			records = append(records, schema.Record{Seq: a.seq, Subject: a.msg.Subject, Time: a.at, Data: a.msg.Data})
		}
	}
	return records
}

func newCommitter(l *Log, files *blockFiles, end *endMark, acked uint64) *committer {
	return &committer{
		log: l, durable: l.durable, logger: l.logger, files: files, end: end, acked: acked,
		publisher: newPublisher(l.session.nc, maxBatch), disk: &diskSpace{dir: files.dir}, probe: diskProbe{dir: l.guard.o.Dir},
		queue: make(chan *submission, maxBatch), published: make(chan batch, 1), stopped: make(chan struct{}), stuck: make(chan struct{}),
	}
}

// run publishes what gathers, and adds it to what waits for the next sync.
func (c *committer) run() {
	defer close(c.published)
	for first := range c.queue {
		runtime.Gosched() // whoever is about to append does so first; where nobody is, this takes no time
		b := batch{appends: c.gather([]*submission{first})}
		if err := c.ready(); err != nil {
			refuse(b.appends, err)
		} else {
			b.stored = c.publish(b.appends)
			c.answerQuestions(b.appends)
		}
		b.stored = c.cover(b.appends) || b.stored
		b.acked = c.acked
		c.pass(b)
	}
}

// pass adds b to what waits for the next sync.
func (c *committer) pass(b batch) {
	select {
	case waiting := <-c.published:
		c.published <- waiting.and(b)
	case c.published <- b:
	}
}

// refuse notes why nothing of a batch is published. It is answered all the same after a sync: to sync what is stored
// takes no room on a full disk.
func refuse(batch []*submission, err error) {
	for _, a := range batch {
		if a.msg != nil || a.question {
			a.err = err
		}
	}
}

// answerQuestions asks the server, once for all who want to know.
func (c *committer) answerQuestions(batch []*submission) {
	var asked bool
	var err error
	for _, a := range batch {
		if !a.question {
			continue
		}
		if !asked {
			asked, err = true, c.publisher.settle(questionTimeout)
		}
		if a.err = err; err == nil {
			a.err = c.frozenErr()
		}
	}
}

// cover takes in what others have published, and tells whether there is any.
func (c *committer) cover(batch []*submission) (any bool) {
	for _, a := range batch {
		c.acked = max(c.acked, a.stored)
		any = any || a.stored > 0
	}
	return any
}

// runSyncs syncs what has been published, and answers.
func (c *committer) runSyncs() {
	defer close(c.stopped)
	defer c.files.release()
	for b := range c.published {
		runtime.Gosched() // as in run: on a busy machine more is published meanwhile, and one sync does for all
		select {
		case more := <-c.published:
			b = b.and(more)
		default:
		}
		answer(b.appends, c.sync(b))
		for _, synced := range b.synced {
			close(synced)
		}
	}
	if err := c.end.close(c.files.sync); err != nil {
		c.logger.Warn("the mark of the log's end could not be made durable", "error", err)
	}
}

// sync makes b durable.
func (c *committer) sync(b batch) error {
	if err := c.err(); err != nil || !b.stored {
		return err
	}
	// COMMIT A. The server has written each acknowledged message to a block file with write(2). Before this sync a
	// power cut loses them, and nobody was told otherwise; after it they are the truth, whatever becomes of this
	// process.
	if err := c.syncFiles(); err != nil {
		if errors.Is(err, errReadOnly) {
			return c.doubt(b, err)
		}
		return c.fail(err, b.acked)
	}
	c.end.advance(b.acked)
	c.durable.Advance(b.acked, b.accepted())
	return nil
}

// syncFiles syncs the blocks. A block that cannot be opened for want of descriptors or memory is tried again: nothing
// was written off by that.
func (c *committer) syncFiles() error {
	for told := false; ; told = true {
		err := c.files.syncNewest()
		if !errors.Is(err, errNotOpened) || c.isClosing() {
			return err
		}
		if !told {
			c.logger.Error("the log's newest file cannot be opened to sync it, which is tried again", "error", err)
		}
		time.Sleep(openInterval)
	}
}

// doubt leaves b to be looked for when the server has been started again: a disk that may not be written says that it
// has synced all the same.
func (c *committer) doubt(b batch, err error) error {
	c.freeze(err)
	for _, a := range b.appends {
		a.retry = true
	}
	return fmt.Errorf("%w: %w", streams.ErrUnavailable, err)
}

// answer tells every caller what became of its event: what JetStream said of it, or else err.
func answer(appends []*submission, err error) {
	for _, a := range appends {
		a.done <- cmp.Or(a.err, err)
	}
}

// gather adds to batch what has been waiting, and waits for nothing.
func (c *committer) gather(batch []*submission) []*submission {
	for len(batch) < maxBatch {
		select {
		case a, ok := <-c.queue:
			if !ok {
				return batch
			}
			batch = append(batch, a)
		default:
			return batch
		}
	}
	return batch
}

// publish hands every message to JetStream and tells whether it has stored any. What was not taken bears its error.
func (c *committer) publish(batch []*submission) (any bool) {
	now := time.Now()
	published := make([]*submission, 0, len(batch))
	msgs := make([]*nats.Msg, 0, len(batch))
	known := lookup{log: c.log}
	for _, a := range batch {
		a.err, a.at, a.fresh = nil, now, false
		if a.msg == nil || !a.claimed.CompareAndSwap(false, true) { // or nobody waits for it any more
			continue
		}
		if !a.retry {
			a.since = c.acked
		} else if found, err := known.find(a, batch); err != nil { // published once more it might stand there twice
			a.err = fmt.Errorf("%w: couldn't see whether it has the event: %w", streams.ErrUnavailable, err)
			continue
		} else if found {
			c.acked = max(c.acked, a.seq)
			any = true
			continue
		}
		published, msgs = append(published, a), append(msgs, a.msg)
	}
	for i, o := range c.publisher.publish(msgs) {
		a := published[i]
		if o.err != nil {
			a.retry = a.retry || !isRefusal(o.err) // a refusal says nothing of an earlier silence
			a.err = fmt.Errorf("%w: %w", streams.ErrUnavailable, o.err)
			if isFreeze(o.err) {
				c.freeze(o.err)
			}
			continue
		}
		a.seq, a.fresh = o.seq, !o.duplicate
		c.reviveWait = 0
		c.acked = max(c.acked, o.seq)
		any = true
	}
	return any
}

// isRefusal tells a clear no from a silence, after which the message may have been stored.
func isRefusal(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api)
}

// storeFailed has JetStream's code for a message that it could not store: the limits of the stream are among the
// reasons.
const storeFailed jetstream.ErrorCode = 10077

// isFreeze reports whether the stream will take no more messages until its server is started again, as after a write
// that failed.
func isFreeze(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode == storeFailed && !strings.Contains(api.Description, "maximum")
	}
	return errors.Is(err, errDropped) || errors.Is(err, errNoAnswer) || errors.Is(err, errNoResponders)
}

// ready says why nothing may be published now. A frozen stream is started again as soon as the disk lets it.
func (c *committer) ready() error {
	if err := c.err(); err != nil {
		return err
	}
	if err := c.disk.check(); err != nil {
		return fmt.Errorf("%w: %w", streams.ErrUnavailable, err)
	}
	if frozen := c.frozenErr(); frozen != nil {
		if err := c.revive(frozen); err != nil {
			return fmt.Errorf("%w: %w", streams.ErrUnavailable, err)
		}
	}
	return nil
}

// fail records a failed sync. What the page cache holds may be gone after it, and a second sync would report success:
// only the next start, which drops that cache and reads what the disk has, makes the log whole again.
func (c *committer) fail(err error, stored uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = fmt.Errorf("%w: a sync to disk failed, so restart certtrail once the disk is sound: %w", streams.ErrUnavailable, err)
	c.logger.Error("the log takes no more events: a sync to disk failed; restart certtrail once the disk is sound", "error", err)
	note := FailedSync{At: time.Now().UTC().Truncate(time.Second), Error: err.Error(), Answered: c.durable.Seq(), Stored: stored}
	if err := c.log.guard.noteFailedSync(note); err != nil {
		c.logger.Error("that a sync failed could not be written down; the next start reads what the disk has all the same", "error", err)
	}
	return c.failure
}

func (c *committer) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

func (c *committer) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// stop refuses new appends, answers those under way and returns when all are.
func (c *committer) stop() {
	c.mu.Lock()
	closing := c.closing
	c.closing = true
	c.mu.Unlock()
	if !closing {
		close(c.queue)
	}
	<-c.stopped
}
