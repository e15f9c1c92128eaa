package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
)

// Events answers with the events of the log.
type Events struct {
	Log    Log
	Logger *slog.Logger
}

// Serve reads the log forward, from its beginning or from after_seq. The cursor of the next page is the last sequence
// of this one. A page may end early, with its cursor: when it holds pageBytes, or when there is no room for its next
// events.
func (s *Events) Serve(w http.ResponseWriter, r *http.Request) error {
	q, err := answer.ReadEventsQuery(r.URL.Query())
	if err != nil {
		return err
	}
	page := eventsJSON{w: w, left: q.Limit, after: q.After}
	for more := true; more && page.left > 0; {
		var records []schema.Record
		records, more, err = s.Log.Events(r.Context(), page.after, q.Subject, page.left, answer.ChunkBytes)
		if err == nil {
			err = answer.Hold(w, answer.SizeOf(records))
		}
		if errors.Is(err, answer.ErrFull) && page.sent > 0 {
			page.full = true
			break
		}
		if err != nil && page.sent == 0 {
			return err
		}
		if err != nil {
			breakOff(r.Context(), s.Logger, "a page of events", err)
		}
		if err := page.add(records); err != nil {
			return nil // the peer is gone, so there is nobody to tell
		}
		if page.full || r.Method == http.MethodHead {
			break
		}
	}
	return page.end()
}

// breakOff ends an answer that cannot be finished: half of it must not look like all, so the connection is cut.
func breakOff(ctx context.Context, logger *slog.Logger, what string, err error) {
	if ctx.Err() == nil {
		logger.Error(what+" broke off", "error", err)
	}
	panic(http.ErrAbortHandler)
}

// eventsJSON writes a page of events as they are read.
type eventsJSON struct {
	w     http.ResponseWriter
	after uint64 // the last event of it
	left  int    // events that it may have yet
	sent  int    // bytes of events
	begun bool
	full  bool // there may be more events, though it has fewer than were asked for
}

func (p *eventsJSON) add(records []schema.Record) error {
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", "application/json")
		if _, err := io.WriteString(p.w, `{"items":[`); err != nil {
			return err
		}
	}
	for i := range records {
		size := len(records[i].Data)
		if p.full = p.sent > 0 && p.sent+size > answer.PageBytes; p.full {
			return nil
		}
		before := ","
		if p.sent == 0 {
			before = ""
		}
		if err := writeWithSeq(p.w, before, records[i]); err != nil {
			return err
		}
		p.sent += max(size, 1)
		p.left--
		p.after = records[i].Seq
	}
	return nil
}

func (p *eventsJSON) end() error {
	next := ""
	if p.full || p.left == 0 {
		next = strconv.FormatUint(p.after, 10)
	}
	_, _ = io.WriteString(p.w, `],"next_cursor":"`+next+"\"}\n") // a peer who is gone needs no end
	return nil
}

// writeWithSeq writes the event as it stands in the log, byte for byte, with its sequence put before its other members.
func writeWithSeq(w io.Writer, before string, rec schema.Record) error {
	head := before + `{"seq":` + strconv.FormatUint(rec.Seq, 10)
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(rec.Data), []byte("{"))
	if !ok || bytes.Equal(bytes.TrimSpace(rest), []byte("}")) || !json.Valid(rec.Data) {
		_, err := io.WriteString(w, head+"}")
		return err
	}
	if _, err := io.WriteString(w, head+","); err != nil {
		return err
	}
	_, err := w.Write(rest)
	return err
}

// Log reads the log of events. Its methods may be called at once from many goroutines.
type Log interface {
	// Events returns at most limit events after the sequence after whose NATS subject matches (empty: all), ascending.
	// They end early before the event with which they would hold more than so many bytes, and then there is more; the
	// first is among them however large it is.
	Events(ctx context.Context, after uint64, subject string, limit, bytes int) (records []schema.Record, more bool, err error)
	// Get returns one event. An error that is fs.ErrNotExist says that the log does not hold it.
	Get(ctx context.Context, seq uint64) (schema.Record, error)
	// Last returns the sequence of the newest event, 0 while there is none.
	Last(context.Context) (uint64, error)
}
