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
)

// The limits of /live.
const (
	maxLive       = 2000             // streams at once
	heartbeat     = 15 * time.Second // how long a stream is silent at most, so that proxies keep it and dead peers are noticed
	writeTimeout  = 30 * time.Second // how long a peer may take to accept one write
	reconnectTime = 2 * time.Second  // what a browser waits before it connects again
)

// changeJSON is the data of one server-sent event: which rows are other than before, never what they are now.
type changeJSON struct {
	Seq  uint64      `json:"seq"`
	Rows [][3]string `json:"rows"` // model, provider, id
}

// live streams changes as Server-Sent Events until the peer leaves or the server stops. Last-Event-ID resumes after that event; a page's
// first request has no such header and says the same in its address.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	if s.ReadOnly != nil {
		return errStill
	}
	after, err := lastEventID(r)
	if err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return errBusy
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
	s.stream(r.Context(), out, after)
	return nil
}

// stream copies changes to out, with a heartbeat between them. Only this goroutine writes; the store's is gone when it returns.
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
	for err == nil {
		select {
		case c := <-changes:
			err = out.change(c)
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

// write sends text at once. The deadline is this write's own, in place of the server's, which counts from the request's beginning; a
// writer that knows no deadlines (a test's) has none to miss.
func (o sse) write(text string) error {
	_ = o.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
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
		return 0, wrong("Last-Event-ID must be the sequence of an event, not %q", text)
	}
	return seq, nil
}
