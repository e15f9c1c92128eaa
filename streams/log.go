// Package streams is the log as its readers and writers see it: one JetStream stream, to which events are only ever
// appended. An append returns when the event is durable, not before; a reader sees an event when it is durable, not
// before. Who runs the stream's server, and makes events durable, gives the log its Parts: streams/embedded.
package streams

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

const (
	// StreamName names the JetStream stream that holds the log.
	StreamName = "CERTTRAIL"
	// ConsumerPrefix begins the names of certtrail's own consumers. Nobody else may make, read, acknowledge or change
	// one of such a name.
	ConsumerPrefix = "certtrail-"
)

// Limits of the log.
const (
	MaxMessage = 8 << 20          // bytes; a delivery of 1 MiB in its envelope, as base64, with room to spare
	MaxEvent   = MaxMessage - 512 // bytes on the wire of the largest event that the log takes

	askTimeout    = 5 * time.Second // one question to JetStream
	retryInterval = 200 * time.Millisecond
)

var (
	// ErrUnavailable says that the log did not take an event, though it may later. It wraps the reason.
	ErrUnavailable = errors.New("the log cannot take events")
	// ErrClosed says that the log has been closed.
	ErrClosed = errors.New("the log is closed")
)

// Committer takes events into the log.
type Committer interface {
	// Append returns the event's sequence once it is durable, and has advanced the watermark to it. It holds on while
	// the log is away, until ctx ends; then the error wraps ErrUnavailable, and the event is not in the log, unless the
	// server took it and was never heard to say so.
	Append(ctx context.Context, e *Raw) (uint64, error)
	// Durable returns the committer's watermark, which is always the same one.
	Durable() *Watermark
}

// Server connects to the server that has the stream.
type Server interface {
	// Session returns the connections in use. It waits while the server is started again; it fails with ErrUnavailable
	// while it cannot be, and with ErrClosed when the log is closed.
	Session() (*Session, error)
}

// Files reads events out of the server's own files, for a tenth of what it costs to have the server deliver them.
type Files interface {
	// Read yields the events after a sequence up to another, both durable, and passes over gaps. It fails with
	// ErrUnclear where the files do not say plainly what comes next, and the server has to; what it has yielded until
	// then stands.
	Read(ctx context.Context, after, until uint64, gaps schema.Gaps, yield func([]schema.Record) error) error
}

// ErrUnclear says that a server's files do not say plainly what comes next.
var ErrUnclear = errors.New("the block files do not say plainly what comes next")

// Session holds the connections to one run of the server.
type Session struct {
	Stream  jetstream.Stream // over the connection of those who append
	Reading jetstream.Stream // over another: an answer of megabytes must not stand before the acknowledgement of an append
}

// LastStored returns the last sequence that the stream has given, durable or not.
func (s *Session) LastStored(ctx context.Context) (uint64, error) {
	info, err := s.Stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("couldn't read the stream's state: %w", err)
	}
	return info.State.LastSeq, nil
}

// Parts make a log.
type Parts struct {
	Committer Committer
	Server    Server
	Files     Files    // nil: only the server reads
	Gaps      *GapList // set by who has read the stream's files
	Logger    *slog.Logger
}

// Log reads and writes the events. Its methods may be called at once from many goroutines.
type Log struct {
	committer Committer
	server    Server
	files     Files
	gaps      *GapList
	logger    *slog.Logger

	durable *Watermark    // the committer's
	reads   chan struct{} // one taken by every event that is read by its sequence
}

// New makes a log of its parts, which it does not close.
func New(p Parts) *Log {
	return &Log{
		committer: p.Committer, server: p.Server, files: p.Files, gaps: p.Gaps, logger: p.Logger,
		durable: p.Committer.Durable(), reads: make(chan struct{}, maxReads),
	}
}

// Raw holds an event as it shall stand in the log, byte for byte.
type Raw struct {
	ID      string
	Subject string
	Data    []byte
}

// Message returns the event as it is published.
func (r *Raw) Message() *nats.Msg {
	msg := &nats.Msg{Subject: r.Subject, Data: r.Data, Header: nats.Header{"Content-Type": contentType}}
	if (&schema.Event{ID: r.ID}).TrulyIdentified() {
		msg.Header[jetstream.MsgIDHeader] = []string{r.ID}
	}
	return msg
}

var contentType = []string{schema.ContentType}

// Append appends e and returns its sequence once it is durable. It holds on while the log is away, until ctx ends; then
// the error wraps ErrUnavailable, and e is not in the log, unless the server took it and was never heard to say so.
func (l *Log) Append(ctx context.Context, e *schema.Event) (uint64, error) {
	data, err := e.Encode()
	if err != nil {
		return 0, fmt.Errorf("couldn't encode event %s: %w", e.ID, err)
	}
	return l.committer.Append(ctx, &Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data})
}

// Last returns the sequence of the last durable event; 0 for an empty log.
func (l *Log) Last(context.Context) (uint64, error) { return l.durable.Seq(), nil }

// Get returns the event with sequence seq, if it is durable.
func (l *Log) Get(ctx context.Context, seq uint64) (schema.Record, error) {
	records, _, err := l.next(ctx, seq, "", 1, 0)
	if err != nil {
		return schema.Record{}, err
	}
	if len(records) == 0 || records[0].Seq != seq {
		return schema.Record{}, fmt.Errorf("the log has no event %d: %w", seq, fs.ErrNotExist)
	}
	return records[0], nil
}

// Events returns up to limit events after the sequence `after` whose subject matches the NATS filter; "" matches all.
// They end early before the event with which they would hold more than so many bytes, and then there is more; the first
// event is among them however large it is.
func (l *Log) Events(ctx context.Context, after uint64, filter string, limit, bytes int) (records []schema.Record, more bool, err error) {
	return l.next(ctx, after+1, filter, limit, bytes)
}

func (l *Log) next(ctx context.Context, from uint64, filter string, limit, bytes int) (records []schema.Record, more bool, err error) {
	if filter == "" {
		filter = schema.Subjects
	}
	s, err := l.server.Session()
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for last := l.durable.Seq(); len(records) < limit && from <= last; from++ {
		m, err := l.message(ctx, s.Reading, from, filter)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("couldn't read the log from event %d on: %w", from, err)
		}
		if m.Sequence > last {
			break
		}
		if bytes -= len(m.Data); bytes < 0 && len(records) > 0 {
			return records, true, nil
		}
		records = append(records, schema.Record{Seq: m.Sequence, Subject: m.Subject, Time: m.Time, Data: m.Data})
		from = m.Sequence
	}
	return records, false, nil
}

// maxReads limits the events that are read by their sequence at once. Each is an answer of up to 8 MiB; more at once
// would take the processors from those who append.
const maxReads = 1

// message returns the first message from a sequence on that matches the filter.
func (l *Log) message(ctx context.Context, stream jetstream.Stream, from uint64, filter string) (*jetstream.RawStreamMsg, error) {
	select {
	case l.reads <- struct{}{}:
		defer func() { <-l.reads }()
		return stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(filter))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
