package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

const jsAPI = "$JS.API."

// How a snapshot travels between the server and us.
const (
	snapshotChunk   = 512 << 10
	snapshotWindow  = 32 << 20         // under way at once; the server gives up 5 s after the last chunk of a full window
	snapshotTimeout = 60 * time.Second // for one chunk
)

// snapshotReply holds the server's answer to a request for a snapshot or a restore, and to the last chunk of one.
type snapshotReply struct {
	Error          *jetstream.APIError `json:"error"`
	DeliverSubject string              `json:"deliver_subject"`
}

// Snapshot writes the stream to w as it stands: messages with their sequences and times, gaps, and the subscribers'
// consumers. It reads every message; one whose checksum is wrong ends it with an error.
func (l *Log) Snapshot(ctx context.Context, w io.Writer) error {
	s, err := l.use()
	if err != nil {
		return err
	}
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("couldn't ask for a snapshot of the log: %w", err)
	}
	defer sub.Unsubscribe()
	if err := sub.SetPendingLimits(-1, 2*snapshotWindow); err != nil {
		return fmt.Errorf("couldn't ask for a snapshot of the log: %w", err)
	}
	request := map[string]any{"deliver_subject": inbox, "chunk_size": snapshotChunk, "window_size": snapshotWindow}
	if _, err := ask(ctx, s.nc, jsAPI+"STREAM.SNAPSHOT."+streams.StreamName, request); err != nil {
		return fmt.Errorf("couldn't ask for a snapshot of the log: %w", err)
	}
	for {
		m, err := nextChunk(ctx, sub)
		if err != nil {
			return fmt.Errorf("the snapshot of the log stopped: %w", err)
		}
		if len(m.Data) == 0 {
			return snapshotEnd(m)
		}
		if _, err := w.Write(m.Data); err != nil {
			return err
		}
		if m.Reply != "" {
			if err := s.nc.Publish(m.Reply, nil); err != nil {
				return fmt.Errorf("the snapshot of the log stopped: %w", err)
			}
		}
	}
}

func nextChunk(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// snapshotEnd reads the message after the last chunk: it comes after a failure, too.
func snapshotEnd(m *nats.Msg) error {
	if status := m.Header.Get("Status"); status != "" && status != "204" {
		return fmt.Errorf("the log cannot be read to its end: %s", m.Header.Get("Description"))
	}
	return nil
}

// Restore makes a log in o.Dir, which must not be there yet, out of what Snapshot wrote, hands it to read with its last
// sequence, and leaves it closed and durable. Nobody else is let in meanwhile, whatever o says. When it fails, the
// directory is as good as empty and should be removed.
func Restore(ctx context.Context, o Options, snapshot io.Reader, read func(l *streams.Log, last uint64) error) error {
	if err := os.Mkdir(o.Dir, 0o700); err != nil {
		return fmt.Errorf("couldn't make a directory for the log: %w", err)
	}
	o.Listen = ""
	if err := o.complete(); err != nil {
		return err
	}
	server, err := startServer(o)
	if err != nil {
		return err
	}
	err = restoreInto(ctx, server, o, snapshot, read)
	server.stop()
	if err != nil {
		return err
	}
	// The server syncs what is appended, if o says so, but not what it takes out of a snapshot; and Open would not do
	// it after it then.
	files := &blockFiles{sync: o.Sync}
	if err := files.syncAll(o.Dir); err != nil {
		return fmt.Errorf("couldn't sync the restored log's files: %w", err)
	}
	return nil
}

func restoreInto(ctx context.Context, server *natsServer, o Options, snapshot io.Reader, read func(*streams.Log, uint64) error) error {
	s := &session{server: server}
	var err error
	if s.nc, err = server.connect(); err != nil {
		return err
	}
	defer s.nc.Close()
	if err := sendSnapshot(ctx, s.nc, streamConfig(o), snapshot); err != nil {
		return err
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return fmt.Errorf("couldn't open JetStream: %w", err)
	}
	if s.Stream, err = s.js.Stream(ctx, streams.StreamName); err != nil {
		return fmt.Errorf("couldn't open the restored stream: %w", err)
	}
	s.Reading = s.Stream
	if err := forgetQueues(ctx, s.Stream); err != nil {
		return err
	}
	last, err := s.LastStored(ctx)
	if err != nil {
		return err
	}
	l := &Log{session: s, logger: o.Logger, durable: streams.NewWatermark(), blocks: blockFiles{dir: server.blocksDir(), off: o.Always}}
	l.durable.Advance(last, nil)               // nobody is told of it before it is
	l.commits = &committer{durable: l.durable} // nothing is appended
	l.Log = streams.New(l.parts())
	return read(l.Log, last)
}

// sendSnapshot gives a snapshot to the server, chunk by chunk. The answer to the empty chunk at the end says whether it
// was taken.
func sendSnapshot(ctx context.Context, nc *nats.Conn, config jetstream.StreamConfig, snapshot io.Reader) error {
	reply, err := ask(ctx, nc, jsAPI+"STREAM.RESTORE."+streams.StreamName, map[string]any{"config": config})
	if err != nil {
		return fmt.Errorf("couldn't begin to restore the log: %w", err)
	}
	chunk := make([]byte, snapshotChunk)
	for {
		n, err := io.ReadFull(snapshot, chunk)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("couldn't read the snapshot: %w", err)
		}
		if _, err := put(ctx, nc, reply.DeliverSubject, chunk[:n]); err != nil {
			return fmt.Errorf("the snapshot could not be restored: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

func ask(ctx context.Context, nc *nats.Conn, subject string, request any) (snapshotReply, error) {
	b, err := json.Marshal(request)
	if err != nil {
		return snapshotReply{}, err
	}
	return put(ctx, nc, subject, b)
}

// put sends b and reads the answer; an empty one says that all is well so far.
func put(ctx context.Context, nc *nats.Conn, subject string, b []byte) (r snapshotReply, err error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, subject, b)
	if err != nil || len(m.Data) == 0 {
		return r, err
	}
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return r, fmt.Errorf("the server's answer is not JSON: %w", err)
	}
	if r.Error != nil {
		return r, errors.New(r.Error.Description)
	}
	return r, nil
}

// forgetQueues deletes the queues that a restored log brings: nobody acts on what was restored.
func forgetQueues(ctx context.Context, stream jetstream.Stream) error {
	names := stream.ConsumerNames(ctx)
	var ours []string
	for name := range names.Name() {
		if strings.HasPrefix(strings.ToLower(name), streams.ConsumerPrefix) {
			ours = append(ours, name)
		}
	}
	err := names.Err()
	for _, name := range ours {
		err = errors.Join(err, stream.DeleteConsumer(ctx, name))
	}
	if err != nil {
		return fmt.Errorf("couldn't take certtrail's own consumers out of the restored log: %w", err)
	}
	return nil
}
