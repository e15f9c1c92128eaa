// Package embedded runs the log's NATS server inside this process. It makes events durable many at a time, reads and
// mends the server's files before the server sees them, and starts it again where it takes no more messages.
package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
	"github.com/certtrail/certtrail/streams/gate"
)

const (
	askTimeout     = 5 * time.Second // one question to JetStream
	retryInterval  = 200 * time.Millisecond
	freeReserve    = 64 << 20    // bytes left free on the disk: a full disk freezes the stream until the server restarts
	listenInterval = time.Second // between two attempts to listen for subscribers again
)

// Log keeps a log whose server runs inside this process. Its methods may be called at once from many goroutines.
type Log struct {
	*streams.Log
	guard  *guard
	logger *slog.Logger

	serving sync.RWMutex // held to exchange the session
	session *session     // owns the process's NATS server; nil while there is none
	addr    string       // where subscribers connect

	commits *committer         // owns everything between a publish and its sync
	durable *streams.Watermark // the last sequence known to be on the disk
	blocks  blockFiles         // only read
	gaps    streams.GapList    // from it

	bulking sync.Mutex // lets in one bulk append at a time: two would gain nothing
	closed  atomic.Bool
}

// Options say where and how a log is kept.
type Options struct {
	Dir      string                // the server's store; created if it is not there. What is known of the log's end and losses stands beside it
	Listen   string                // HOST:PORT of the listener for subscribers; "" keeps the server inside the process
	Access   gate.Access           // who may use that listener
	MaxConns int                   // of it; 0: the server's own bound
	MaxBytes int64                 // of the stream; 0: nine tenths of the disk
	Sync     SyncFunc              // makes a file's content durable; nil: fdatasync
	Always   bool                  // let the server sync every message by itself: slower, for systems whose file stores are laid out differently
	Progress func(done, total int) // told of each block that is read before the server starts; nil: nobody is
	Logger   *slog.Logger          // nil: discard
}

// complete puts in what is left out. The directory must be there.
func (o *Options) complete() (err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Sync == nil {
		o.Sync = fdatasync
	}
	if o.MaxBytes == 0 {
		o.MaxBytes, err = ninetyPercentOfDisk(o.Dir)
	}
	return err
}

// Open reads the log in o.Dir whole, mends what is damaged, starts the server on it and opens it, making all that is
// not there. Everything the log holds is durable when it returns, and has been read. An error has lost nothing of it.
func Open(ctx context.Context, o Options) (*Log, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the log's directory: %w", err)
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	l := &Log{guard: newGuard(o), logger: o.Logger, durable: streams.NewWatermark()}
	if err := l.open(ctx, o); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Log) open(ctx context.Context, o Options) error {
	s, r, err := l.guard.start(ctx)
	if err != nil {
		return err
	}
	l.session = s
	l.gaps.Set(r.gaps, r.accepted, r.account.Losses)
	files := &blockFiles{dir: s.server.blocksDir(), sync: o.Sync, off: o.Always}
	if err := files.syncAll(o.Dir); err != nil {
		return fmt.Errorf("couldn't sync the log's files: %w", err)
	}
	if err := files.hold(); err != nil {
		return fmt.Errorf("couldn't open the log's files: %w", err)
	}
	l.blocks = blockFiles{dir: files.dir, off: files.off}
	end, err := openEndMark(l.guard.layout.end(), r.end, o.Sync)
	if err != nil {
		return err
	}
	l.durable.Advance(r.end, nil)
	l.commits = newCommitter(l, files, end, r.end)
	l.Log = streams.New(l.parts())
	go l.commits.run()
	go l.commits.runSyncs()
	if err := s.server.serveReaders(); err != nil {
		return err
	}
	l.addr = s.server.addr()
	return nil
}

// parts returns what the log is made of.
func (l *Log) parts() streams.Parts {
	p := streams.Parts{Committer: l.commits, Server: l, Gaps: &l.gaps, Logger: l.logger}
	if !l.blocks.off {
		p.Files = blocks.Dir(l.blocks.dir)
	}
	return p
}

// Session returns the connections in use, for the log.
func (l *Log) Session() (*streams.Session, error) {
	if l.closed.Load() {
		return nil, fmt.Errorf("%w: %w", streams.ErrUnavailable, streams.ErrClosed)
	}
	s, err := l.use()
	if err != nil {
		return nil, err
	}
	return &s.Session, nil
}

// use returns the session in use. It waits while the server is started again, and fails while it cannot be.
func (l *Log) use() (*session, error) {
	l.serving.RLock()
	defer l.serving.RUnlock()
	if l.session == nil {
		return nil, fmt.Errorf("%w: its server is not running", streams.ErrUnavailable)
	}
	return l.session, nil
}

// restart stops the server and starts it again on what the disk has, for a stream that takes no more messages. Who
// reads and subscribes goes on with the new one. It returns the last sequence that was given.
func (l *Log) restart(ctx context.Context) (end uint64, err error) {
	l.serving.Lock()
	defer l.serving.Unlock()
	if old := l.session; old != nil {
		l.session = nil
		if err := old.close(); err != nil {
			return 0, err
		}
	}
	o := l.guard.o
	if l.addr != "" {
		o.Listen = l.addr // a port that was chosen stays
	}
	g := newGuard(o)
	g.floor = l.durable.Seq()
	s, r, err := g.start(ctx)
	if err != nil {
		return 0, err
	}
	l.session = s
	l.gaps.Set(r.gaps, r.accepted, r.account.Losses)
	if err := s.server.serveReaders(); err != nil {
		l.logger.Error("subscribers cannot connect, which is tried again; deliveries are taken", "error", err)
		go l.listenLater(s)
	}
	return r.end, nil
}

// listenLater lets subscribers in as soon as their port is free again, as long as the session is in use.
func (l *Log) listenLater(s *session) {
	for {
		time.Sleep(listenInterval)
		l.serving.RLock()
		current := l.session
		l.serving.RUnlock()
		if current != s || l.closed.Load() {
			return
		}
		if err := s.server.serveReaders(); err == nil {
			l.logger.Info("subscribers can connect again", "address", l.addr)
			return
		}
	}
}

func streamConfig(o Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        streams.StreamName,
		Description: "what the certificate authorities said",
		Subjects:    []string{schema.Subjects},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    o.MaxBytes,
		MaxMsgSize:  streams.MaxMessage,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		Replicas:    1,
	}
}

// lastStored returns the last sequence that the server has given, durable or not.
func (l *Log) lastStored(ctx context.Context) (uint64, error) {
	s, err := l.use()
	if err != nil {
		return 0, err
	}
	return s.LastStored(ctx)
}

// Err says why the log takes no events any more, or nil. It does not pass: a process whose log failed must be
// restarted.
func (l *Log) Err() error {
	if l.closed.Load() {
		return streams.ErrClosed
	}
	return l.commits.err()
}

// Ready asks the log whether it would take an event now, and waits for its answer until ctx ends. The error says why it
// would not.
func (l *Log) Ready(ctx context.Context) error {
	if err := l.Err(); err != nil {
		return err
	}
	if !l.serving.TryRLock() {
		return fmt.Errorf("%w: its server is being started again", streams.ErrUnavailable)
	}
	l.serving.RUnlock()
	if err := l.hasRoom(ctx, 0); err != nil {
		return err
	}
	return l.commits.ask(ctx)
}

// Frozen says why the log takes no events just now, or nil. It passes by itself when its cause does.
func (l *Log) Frozen() error {
	if err := l.commits.frozenErr(); err != nil {
		return err
	}
	return lookForRoom(l.blocks.dir)
}

// Stuck returns a channel that is closed when only another process can go on with the log; Err then says why.
func (l *Log) Stuck() <-chan struct{} { return l.commits.stuck }

// Addr returns where subscribers connect, or "" when there is no listener.
func (l *Log) Addr() string { return l.addr }

// Close answers what is being appended, then stops the server and waits for it.
func (l *Log) Close() {
	if l.closed.Swap(true) {
		return
	}
	if l.commits != nil { // nil: it was never open
		l.commits.stop()
	}
	l.serving.Lock()
	defer l.serving.Unlock()
	if l.session == nil {
		return
	}
	if err := l.session.close(); err != nil {
		l.logger.Error("the log's server did not stop", "error", err)
	}
	l.session = nil
}
