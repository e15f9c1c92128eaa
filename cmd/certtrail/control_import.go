package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// How an import goes along: what has been read is appended in portions, while the next one is read.
const (
	portionEvents = 4096
	portionBytes  = 16 << 20
	maxLine       = streams.MaxEvent - 128 // bytes; the mark of an import is added to it
)

// imported is what became of the events that were read: appended, or passed over because the log had them.
type imported struct {
	Appended uint64 `json:"appended"`
	Known    uint64 `json:"known"`
}

func (n imported) String() string {
	s := count(n.Appended, "event")
	if n.Known > 0 {
		s += fmt.Sprintf(", %s were there already", commas(n.Known))
	}
	return s
}

// importer reads events and appends those that are new.
type importer struct {
	log   *streams.Log
	name  string // of what is read, for messages
	mark  []byte // the member that tells an imported event
	known ids

	progress func(imported) // is told what is in the log, from one goroutine; never after run
	n        imported       // of the portions that are appended
	lines    int            // read so far
}

// importEvents appends the events of the request's body.
func (o *owner) importEvents(ctx context.Context, a *answer, r *http.Request) (any, error) {
	if !o.importing.TryLock() {
		return nil, errors.New("another import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	// Who sends may pause for ever, as a person at a terminal does.
	defer context.AfterFunc(ctx, func() { a.control.SetReadDeadline(time.Now()) })()
	i := &importer{log: o.log, name: r.URL.Query().Get("name"), known: ids{}, progress: func(n imported) { a.progress(n) }}
	i.mark = []byte(`"certtrailimported":"` + schema.At(time.Now()).String() + `",`)
	if err := i.known.addAll(ctx, o.log); err != nil {
		return nil, fmt.Errorf("couldn't find out which events the log has: %w", err)
	}
	err := i.run(ctx, bufio.NewReaderSize(r.Body, 256<<10))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return i.n, err
}

// run reads one portion while the one before is appended.
func (i *importer) run(ctx context.Context, from *bufio.Reader) error {
	waiting := make(chan portion)
	appended := make(chan error, 1)
	go func() {
		var failed error
		for p := range waiting {
			if failed == nil {
				failed = i.append(ctx, p)
			}
			if failed != nil && p.failed != nil {
				p.failed()
			}
		}
		appended <- failed
	}()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var why error
	for why == nil {
		var p portion
		p, why = i.read(from)
		p.failed = stop
		waiting <- p
		if reading.Err() != nil {
			break
		}
	}
	close(waiting)
	if err := <-appended; err != nil {
		return fmt.Errorf("the log stopped taking the events of %s: %w; %s so far, run the import again when that is mended", i.name, err, i.n)
	}
	if errors.Is(why, io.EOF) {
		return nil
	}
	return fmt.Errorf("line %d of %s %w; the %s before it were imported (%s)", i.lines, i.name, why, count(i.n.Appended+i.n.Known, "event"), i.n)
}

// portion is events that are appended together.
type portion struct {
	events []streams.Raw
	known  uint64 // that were passed over among them
	failed func() // tells the reader to stop
}

// read reads a portion. With the error that ends the reading, io.EOF at the end, comes what was read before it.
func (i *importer) read(from *bufio.Reader) (portion, error) {
	var p portion
	for bytes := 0; len(p.events) < portionEvents && bytes < portionBytes; {
		line, err := readLine(from, maxLine)
		if err != nil && len(line) == 0 {
			if !errors.Is(err, io.EOF) {
				i.lines++
				err = fmt.Errorf("did not come: %w", err)
			}
			return p, err
		}
		i.lines++
		if err != nil {
			return p, unreadable(line, err)
		}
		if line = trimSpace(line); len(line) == 0 {
			continue
		}
		e, err := i.event(line)
		if err != nil {
			return p, err
		}
		if !i.known.add(e.ID) {
			p.known++
			continue
		}
		p.events = append(p.events, e)
		bytes += len(e.Data)
	}
	return p, nil
}

func unreadable(line []byte, err error) error {
	if errors.Is(err, errLongLine) {
		return fmt.Errorf("is longer than the %s bytes that an event may have", commas(maxLine))
	}
	return fmt.Errorf("is cut off after %d bytes: %w", len(line), err)
}

func trimSpace(line []byte) []byte { return bytes.Trim(line, " \t\r") }

// event is a line as it shall stand in the log: as it is, with the mark of an import.
func (i *importer) event(line []byte) (streams.Raw, error) {
	e, err := schema.DecodeMeaning(line)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset >= int64(len(line)) {
		return streams.Raw{}, fmt.Errorf("is cut off: %w", err)
	}
	if err != nil {
		return streams.Raw{}, fmt.Errorf("is not a CloudEvent: %w", err)
	}
	if k := e.Kind(); e.SpecVersion != "1.0" || !isWord(k.Aggregate()) || !isWord(k.Name()) {
		return streams.Raw{}, fmt.Errorf("is not an event of certtrail: its type is %q, its specversion %q", e.Type, e.SpecVersion)
	}
	data := line
	if e.Imported == "" {
		data = make([]byte, 0, len(line)+len(i.mark))
		data = append(append(append(data, '{'), i.mark...), line[1:]...)
	}
	return streams.Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data}, nil
}

// isWord tells whether s can stand in a subject as it is.
func isWord(s string) bool { return s != "" && schema.Token(s) == s }

func (i *importer) append(ctx context.Context, p portion) error {
	n, err := i.log.AppendAll(ctx, p.events)
	i.n.Appended += uint64(n)
	if err == nil {
		i.n.Known += p.known
		i.progress(i.n)
	}
	return err
}

// ids is a set of event ids, each as 16 bytes: a UUID as it is, any other by its digest.
type ids map[[16]byte]struct{}

// add adds id and tells whether it is new.
func (s ids) add(id string) bool {
	key, err := uuid.Parse(id)
	if err != nil || len(id) != 36 || key.String() != id {
		sum := sha256.Sum256([]byte(id))
		copy(key[:], sum[:])
	}
	before := len(s)
	s[key] = struct{}{}
	return len(s) > before
}

// addAll adds the id of every event in the log.
func (s ids) addAll(ctx context.Context, log *streams.Log) error {
	last, err := log.Last(ctx)
	if err != nil {
		return err
	}
	return log.Read(ctx, 0, last, func(records []schema.Record) error {
		for i := range records {
			if e, err := schema.DecodeMeaning(records[i].Data); err == nil {
				s.add(e.ID)
				continue
			}
			// An event of another version may be more than this one understands, and has an id all the same.
			var e struct {
				ID string `json:"id"`
			}
			if json.Unmarshal(records[i].Data, &e) == nil && e.ID != "" {
				s.add(e.ID)
			}
		}
		return nil
	})
}
