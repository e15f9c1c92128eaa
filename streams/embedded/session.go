package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

const (
	startAttempts = 3                // how often the server is started on files that it does not take as they are
	stopPatience  = 20 * time.Second // how long a server may take to stop
)

// errStuck says that the server inside the process does not stop, so that only another process can go on.
var errStuck = errors.New("the server inside the process neither answers nor stops: certtrail ends, and is to be started again")

// session holds one run of the server inside the process, and our connections to it.
type session struct {
	streams.Session
	server *natsServer
	nc     *nats.Conn
	js     jetstream.JetStream
	reads  *nats.Conn // another connection, for Session.Reading

	bulk   *publisher // of who bulks
	closed sync.Once
}

// start starts the server on the log's files, which it has no chance to harm: what it makes of them is compared with
// what they hold, and undone if it is less.
func (g *guard) start(ctx context.Context) (*session, *reading, error) {
	for attempt := 1; ; attempt++ {
		r, err := g.prepare(ctx)
		if err != nil {
			return nil, nil, err
		}
		s, err := startSession(ctx, g.o, r)
		if err == nil {
			if err = g.release(); err == nil {
				return s, r, nil
			}
			err = errors.Join(err, s.close())
		}
		if errors.Is(err, errStuck) {
			return nil, nil, err
		}
		if err := errors.Join(g.putBack(), r.checkBlocks(g.layout.blocks())); err != nil {
			return nil, nil, err
		}
		if attempt == startAttempts || ctx.Err() != nil {
			return nil, nil, fmt.Errorf("couldn't open the log, of which nothing is lost: %w", err)
		}
		g.logger.Warn("the server did not take the log as its files have it; they are put back, and it is started again", "error", err)
	}
}

// startSession starts the server and opens the stream, which must hold what was read.
func startSession(ctx context.Context, o Options, r *reading) (_ *session, err error) {
	s := &session{}
	if s.server, err = startServer(o); err != nil {
		return nil, err
	}
	if err := s.open(ctx, o, r); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *session) open(ctx context.Context, o Options, r *reading) (err error) {
	if s.nc, err = s.server.connect(); err != nil {
		return err
	}
	s.bulk = newPublisher(s.nc, windowMessages)
	s.bulk.ordered = true
	if s.js, err = jetstream.New(s.nc); err != nil {
		return fmt.Errorf("couldn't open JetStream: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.Stream, err = openStream(ctx, s.js, o, r); err != nil {
		return err
	}
	info, err := s.Stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("couldn't read the stream's state: %w", err)
	}
	if err := r.check(info.State); err != nil {
		return err
	}
	return s.openReads(ctx)
}

// openReads opens the connection that events are read over.
func (s *session) openReads(ctx context.Context) (err error) {
	if s.reads, err = s.server.connect(); err != nil {
		return err
	}
	js, err := jetstream.New(s.reads)
	if err != nil {
		return fmt.Errorf("couldn't open JetStream: %w", err)
	}
	if s.Reading, err = js.Stream(ctx, streams.StreamName); err != nil {
		return fmt.Errorf("couldn't open the stream %s: %w", streams.StreamName, err)
	}
	return nil
}

// openStream opens the stream and brings it to what the contract says. One is made only where there are no events, or
// over the blocks that hold them, after what described it was lost.
func openStream(ctx context.Context, js jetstream.JetStream, o Options, r *reading) (jetstream.Stream, error) {
	config := streamConfig(o)
	if r.metaLost {
		if err := r.checkBlocks(layout{o.Dir}.blocks()); err != nil {
			return nil, err
		}
		stream, err := js.CreateOrUpdateStream(ctx, config)
		if err != nil {
			return nil, fmt.Errorf("couldn't make the stream %s: %w", streams.StreamName, err)
		}
		return stream, nil
	}
	stream, err := js.UpdateStream(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("couldn't open the stream %s: %w", streams.StreamName, err)
	}
	return stream, nil
}

// checkBlocks makes sure that the blocks that were read are in the directory.
func (r *reading) checkBlocks(dir string) error {
	for _, s := range r.blocks {
		if _, err := os.Stat(filepath.Join(dir, blocks.Name(s.Number))); err != nil {
			return fmt.Errorf("the server took the log's file %s away: %w", blocks.Name(s.Number), err)
		}
	}
	return nil
}

// close ends the session. It is errStuck when the server does not end.
func (s *session) close() error {
	for _, nc := range []*nats.Conn{s.nc, s.reads} {
		if nc != nil {
			nc.Close()
		}
	}
	stopped := make(chan struct{})
	go func() {
		s.closed.Do(s.server.stop)
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(stopPatience):
		return errStuck
	}
}
