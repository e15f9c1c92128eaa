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
	maxMessage    = 8 << 20         // bytes; a delivery of 1 MiB in its envelope, as base64, with room to spare
	freeReserve   = 64 << 20        // bytes left free on the disk: a full disk freezes the stream until the server restarts
	askTimeout    = 5 * time.Second // one question to JetStream
	retryInterval = 200 * time.Millisecond
)

var (
	// ErrUnavailable says that the log did not take an event, though it may later. It wraps the reason.
	ErrUnavailable = errors.New("the log cannot take events")
	// ErrClosed says that the log has been closed.
	ErrClosed = errors.New("the log is closed")
)

// Log is the event log. Its methods may be called at once from many goroutines.
type Log struct {
	server *embedded // owns the process's NATS server
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	logger *slog.Logger

	commits *committer // owns everything between a publish and its sync
	durable *watermark // the last sequence known to be on the disk
	tail    tail       // the last events before it
	blocks  blockFiles // only read
	missing missing    // from it

	bulking sync.Mutex // lets in one bulk append at a time: two would gain nothing
	bulk    *publisher // of who bulks
	closed  atomic.Bool
}

// Options say where and how a log is kept.
type Options struct {
	Dir      string       // the server's store; created if it is not there
	Listen   string       // HOST:PORT of the listener for subscribers; "" keeps the server inside the process
	Access   Access       // who may use that listener
	MaxBytes int64        // of the stream; 0: nine tenths of the disk
	Sync     SyncFunc     // makes a file's content durable; nil: fdatasync
	Always   bool         // let the server sync every message by itself: slower, for systems whose file stores are laid out differently
	Logger   *slog.Logger // nil: discard
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

// Open starts the server on o.Dir and opens the log, making both if they are not there. Everything the log holds is durable when it returns.
func Open(ctx context.Context, o Options) (*Log, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the log's directory: %w", err)
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	server, err := startServer(o)
	if err != nil {
		return nil, err
	}
	l := &Log{server: server, logger: o.Logger, durable: newWatermark()}
	if err := l.open(ctx, o); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Log) open(ctx context.Context, o Options) (err error) {
	if l.nc, err = l.server.connect(); err != nil {
		return err
	}
	if l.js, err = jetstream.New(l.nc); err != nil {
		return fmt.Errorf("couldn't open JetStream: %w", err)
	}
	if l.stream, err = createStream(ctx, l.js, o); err != nil {
		return err
	}
	last, err := l.lastStored(ctx)
	if err != nil {
		return err
	}
	files := &blockFiles{dir: l.server.blocksDir(), sync: o.Sync, off: o.Always}
	if err := files.syncAll(o.Dir); err != nil {
		return fmt.Errorf("couldn't sync the log's files: %w", err)
	}
	if err := files.hold(); err != nil {
		return fmt.Errorf("couldn't open the log's files: %w", err)
	}
	l.blocks = blockFiles{dir: files.dir, off: files.off}
	l.bulk = newPublisher(l.nc, windowMessages)
	l.bulk.ordered = true
	l.durable.advance(last)
	l.commits = newCommitter(l.nc, l.stream, files, l.durable, &l.tail, last, o.Logger)
	go l.commits.run()
	go l.commits.runSyncs()
	return l.server.serveReaders()
}

// createStream makes the stream as the contract says, or brings an existing one to it.
func createStream(ctx context.Context, js jetstream.JetStream, o Options) (jetstream.Stream, error) {
	stream, err := js.CreateOrUpdateStream(ctx, streamConfig(o))
	if err != nil {
		return nil, fmt.Errorf("couldn't open the stream %s: %w", StreamName, err)
	}
	return stream, nil
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
	info, err := l.stream.Info(ctx)
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

// Addr is where subscribers connect, or "" when there is no listener.
func (l *Log) Addr() string { return l.server.addr() }

// Close answers what is being appended, then stops the server and waits for it.
func (l *Log) Close() {
	if l.closed.Swap(true) {
		return
	}
	if l.commits != nil { // nil: it was never open
		l.commits.stop()
	}
	l.nc.Close()
	l.server.stop()
}
