package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
)

// The limits of /live.
const (
	maxLive       = 2000                  // streams at once
	gather        = 50 * time.Millisecond // after a message, what changes is gathered for so long into the next one
	maxRows       = 1000                  // of one message
	heartbeat     = 15 * time.Second      // how long a stream is silent at most, so that proxies keep it and dead peers are noticed
	reconnectTime = 2 * time.Second       // what a browser waits before it connects again
)

// changeJSON holds the data of one server-sent event: which rows are other than before, never what they are now.
type changeJSON struct {
	Seq  uint64      `json:"seq"`
	Rows [][3]string `json:"rows"` // model, provider, id
}

// live streams changes as Server-Sent Events until the peer leaves or the server stops. Last-Event-ID resumes after
// that event; a page's first request has no such header and says the same in its address. Who says at_most gets one
// event "reload" in place of more missed events than that, or where the log ends before what he has seen.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	if s.ReadOnly != nil {
		return answer.ErrStill
	}
	after, err := lastEventID(r)
	if err != nil {
		return err
	}
	limit, err := atMost(r)
	if err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return answer.ErrBusy
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the stream back
	if r.Method == http.MethodHead {
		return nil
	}
	out := sse{w: w, rc: http.NewResponseController(w)}
	if err := out.write(fmt.Sprintf("retry: %d\n\n", reconnectTime.Milliseconds())); err != nil {
		return nil // the peer is gone, so there is nobody to tell
	}
	if limit > 0 && after > 0 {
		if after, err = s.skip(r.Context(), out, after, limit); err != nil {
			return nil // the peer is gone, or comes again
		}
	}
	s.stream(r.Context(), out, after)
	return nil
}

// skip tells a peer to look at everything anew if it missed more than limit events, or has seen what is not in the log;
// it goes on from there.
func (s *Server) skip(ctx context.Context, out sse, after, limit uint64) (uint64, error) {
	status, _, err := s.Store.Status(ctx)
	if err != nil {
		return after, err
	}
	if seq := shownSeq(status); after > seq || seq-after > limit {
		return seq, out.reload(seq)
	}
	return after, nil
}

// stream copies changes to out, with a heartbeat between them. Only this goroutine writes; the store's is gone when it
// returns.
func (s *Server) stream(ctx context.Context, out sse, after uint64) {
	ctx, cancel := context.WithCancel(ctx)
	changes, done := make(chan projections.Change), make(chan error, 1)
	go func() {
		done <- s.Store.Live(ctx, after, func(c projections.Change) error {
			select {
			case changes <- c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	var err error
	var next gathered
	var due <-chan time.Time // not nil: a message was sent just now
	for err == nil {
		select {
		case c := <-changes:
			if next.add(c); due != nil && len(next.rows) < maxRows {
				continue
			}
			err, due = out.change(next.take()), time.After(gather)
		case <-due:
			if due = nil; next.seq > 0 {
				err, due = out.change(next.take()), time.After(gather)
			}
		case <-ticker.C:
			err = out.write(": still here\n\n")
		case err = <-done: // also when ctx ends
			if err != nil && ctx.Err() == nil && !errors.Is(err, projections.ErrRebuilding) { // the peer comes again until they are built
				s.Logger.Warn("the stream of changes ended early", "error", err)
			}
			cancel()
			return
		}
	}
	cancel()
	<-done
}

// gathered collects the changes since the last message: each row once.
type gathered struct {
	seq  uint64
	rows []projections.Key
	have map[projections.Key]bool
}

func (g *gathered) add(c projections.Change) {
	g.seq = c.Seq
	for _, k := range c.Rows {
		if !g.have[k] {
			if g.have == nil {
				g.have = map[projections.Key]bool{}
			}
			g.have[k] = true
			g.rows = append(g.rows, k)
		}
	}
}

func (g *gathered) take() projections.Change {
	c := projections.Change{Seq: g.seq, Rows: g.rows}
	*g = gathered{}
	return c
}

// sse writes to one peer.
type sse struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (o sse) change(c projections.Change) error {
	rows := make([][3]string, len(c.Rows))
	for i, k := range c.Rows {
		rows[i] = [3]string{k.Model, k.Provider, k.ID}
	}
	data, err := json.Marshal(changeJSON{c.Seq, rows})
	if err != nil {
		return err
	}
	return o.write(fmt.Sprintf("id: %d\ndata: %s\n\n", c.Seq, data))
}

// reload says that too much happened to be told: look at everything anew.
func (o sse) reload(seq uint64) error {
	return o.write(fmt.Sprintf("event: reload\nid: %d\ndata: {\"seq\":%d,\"rows\":[]}\n\n", seq, seq))
}

// write sends text at once.
func (o sse) write(text string) error {
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.rc.Flush()
}

func lastEventID(r *http.Request) (uint64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("last_event_id")
	}
	if text == "" {
		return 0, nil
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, answer.Wrong("Last-Event-ID must be the sequence of an event, not %q", text)
	}
	return seq, nil
}

// atMost returns how many missed events a peer wants to be told of; 0: all.
func atMost(r *http.Request) (uint64, error) {
	text := r.URL.Query().Get("at_most")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, answer.Wrong("at_most must be a number of events, not %q", text)
	}
	return n, nil
}
