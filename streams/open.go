// Package streams is the log: an embedded NATS server with JetStream that holds one stream, to which events are only ever appended.
// An append returns when the event is on the disk, not before; a reader sees an event when it is on the disk, not before.
package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

// StreamName is the JetStream stream that holds the log.
const StreamName = "CERTTRAIL"

// Limits of the log.
const (
	maxMessage     = 8 << 20         // bytes; a delivery of 1 MiB in its envelope, as base64, with room to spare
	freeReserve    = 64 << 20        // bytes left free on the disk: a full disk freezes the stream until the server restarts
	askTimeout     = 5 * time.Second // one question to JetStream
	retryInterval  = 200 * time.Millisecond
	listenInterval = time.Second // between two attempts to listen for subscribers again
)

var (
	// ErrUnavailable says that the log did not take an event, though it may later. It wraps the reason.
	ErrUnavailable = errors.New("the log cannot take events")
	// ErrClosed says that the log has been closed.
	ErrClosed = errors.New("the log is closed")
)

// Log is the event log. Its methods may be called at once from many goroutines.
type Log struct {
	guard  *guard
	logger *slog.Logger

	serving sync.RWMutex // held to exchange the session
	session *session     // owns the process's NATS server; nil while there is none
	addr    string       // where subscribers connect

	commits *committer // owns everything between a publish and its sync
	durable *watermark // the last sequence known to be on the disk
	tail    tail       // the last events before it
	blocks  blockFiles // only read
	missing missing    // from it

	bulking sync.Mutex    // lets in one bulk append at a time: two would gain nothing
	reads   chan struct{} // one taken by every event that is read by its sequence
	closed  atomic.Bool
}

// Options say where and how a log is kept.
type Options struct {
	Dir      string                // the server's store; created if it is not there. What is known of the log's end and losses stands beside it
	Listen   string                // HOST:PORT of the listener for subscribers; "" keeps the server inside the process
	Access   Access                // who may use that listener
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

// Open reads the log in o.Dir whole, mends what is damaged, starts the server on it and opens it, making all that is not there. Everything the log holds
// is durable when it returns, and has been read. An error has lost nothing of it.
func Open(ctx context.Context, o Options) (*Log, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the log's directory: %w", err)
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	l := &Log{guard: newGuard(o), logger: o.Logger, durable: newWatermark(), reads: make(chan struct{}, maxReads)}
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
	l.missing.set(r)
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
	l.durable.advance(r.end)
	l.commits = newCommitter(l, files, end, r.end)
	go l.commits.run()
	go l.commits.runSyncs()
	if err := s.server.serveReaders(); err != nil {
		return err
	}
	l.addr = s.server.addr()
	return nil
}

// use returns the session in use. It waits while the server is started again, and fails while it cannot be.
func (l *Log) use() (*session, error) {
	l.serving.RLock()
	defer l.serving.RUnlock()
	if l.session == nil {
		return nil, fmt.Errorf("%w: its server is not running", ErrUnavailable)
	}
	return l.session, nil
}

// restart stops the server and starts it again on what the disk has, for a stream that takes no more messages. Who reads and subscribes goes on with the
// new one. It returns the last sequence that was given.
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
	g.floor = l.durable.seq()
	s, r, err := g.start(ctx)
	if err != nil {
		return 0, err
	}
	l.session = s
	l.missing.set(r)
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
		Name:        StreamName,
		Description: "what the certificate authorities said",
		Subjects:    []string{schema.Subjects},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    o.MaxBytes,
		MaxMsgSize:  maxMessage,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		Replicas:    1,
	}
}

// Append appends e and returns its sequence once it is durable. It holds on while the log is away, until ctx ends; then the error wraps
// ErrUnavailable, and e is not in the log, unless the server took it and was never heard to say so.
func (l *Log) Append(ctx context.Context, e *schema.Event) (uint64, error) {
	data, err := e.Encode()
	if err != nil {
		return 0, fmt.Errorf("couldn't encode event %s: %w", e.ID, err)
	}
	msg := &nats.Msg{Subject: e.NATSSubject(), Data: data, Header: nats.Header{"Content-Type": contentType}}
	if e.TrulyIdentified() {
		msg.Header = nats.Header{"Content-Type": contentType, jetstream.MsgIDHeader: []string{e.ID}}
	}
	return l.commits.append(ctx, &appending{id: e.ID, msg: msg})
}

var contentType = []string{schema.ContentType}

// Last is the sequence of the last durable event; 0 for an empty log.
func (l *Log) Last(context.Context) (uint64, error) { return l.durable.seq(), nil }

func (l *Log) lastStored(ctx context.Context) (uint64, error) {
	s, err := l.use()
	if err != nil {
		return 0, err
	}
	return s.lastStored(ctx)
}

func (s *session) lastStored(ctx context.Context) (uint64, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("couldn't read the stream's state: %w", err)
	}
	return info.State.LastSeq, nil
}

// Err is why the log takes no events any more, or nil. It does not pass: a process whose log failed must be restarted.
func (l *Log) Err() error {
	if l.closed.Load() {
		return ErrClosed
	}
	return l.commits.err()
}

// Ready asks the log whether it would take an event now, and waits for its answer until ctx ends. The error says why it would not.
func (l *Log) Ready(ctx context.Context) error {
	if err := l.Err(); err != nil {
		return err
	}
	if !l.serving.TryRLock() {
		return fmt.Errorf("%w: its server is being started again", ErrUnavailable)
	}
	l.serving.RUnlock()
	if err := l.hasRoom(ctx, 0); err != nil {
		return err
	}
	return l.commits.ask(ctx)
}

// Frozen tells why the log takes no events just now, or nil. It passes by itself when its cause does.
func (l *Log) Frozen() error {
	if err := l.commits.frozenErr(); err != nil {
		return err
	}
	return lookForRoom(l.blocks.dir)
}

// Stuck is closed when only another process can go on with the log; Err then says why.
func (l *Log) Stuck() <-chan struct{} { return l.commits.stuck }

// Addr is where subscribers connect, or "" when there is no listener.
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
