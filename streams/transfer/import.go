package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// How an import goes along: what has been read is appended in portions, while the next one is read.
const (
	portionEvents = 4096
	portionBytes  = 16 << 20
	maxLine       = streams.MaxEvent - 128 // bytes; the mark of an import is added to it
)

// Log takes the events of an import, and tells which ones it has.
type Log interface {
	Last(ctx context.Context) (uint64, error)
	Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error
	AppendAll(ctx context.Context, events []streams.Raw) (int, error)
}

// Imported counts the events that an import has read: appended, or passed over because the log had them.
type Imported struct {
	Appended uint64 `json:"appended"`
	Known    uint64 `json:"known"`
}

func (n Imported) String() string {
	s := count(n.Appended, "event")
	if n.Known > 0 {
		s += fmt.Sprintf(", %s were there already", commas(n.Known))
	}
	return s
}

// Import reads events and appends those that are new.
type Import struct {
	Log       Log
	Name      string         // of what is read, for messages
	Interrupt func()         // ends the read under way: who sends may pause for ever, as a person at a terminal does
	Progress  func(Imported) // called with what is in the log, from one goroutine; never after Run

	mark    []byte // the member that tells an imported event
	known   *ids
	n       Imported // of the portions that are appended
	lines   int      // read so far
	checked bool     // one of them bore a checksum, so all after it must
}

// Run imports all of from. now is when, for the mark that each event gets.
func (i *Import) Run(ctx context.Context, from io.Reader, now time.Time) (Imported, error) {
	defer context.AfterFunc(ctx, i.Interrupt)()
	i.mark, i.known = []byte(`"certtrailimported":"`+schema.At(now).String()+`",`), newIDs()
	if err := i.known.addAll(ctx, i.Log); err != nil {
		return i.n, fmt.Errorf("couldn't find out which events the log has: %w", err)
	}
	err := i.run(ctx, bufio.NewReaderSize(from, 256<<10))
	if ctx.Err() != nil && !errors.Is(err, streams.ErrUnavailable) { // of the log's failure, the end of the request is only the consequence
		return i.n, ctx.Err()
	}
	return i.n, err
}

// run reads one portion while the one before is appended.
func (i *Import) run(ctx context.Context, from *bufio.Reader) error {
	waiting := make(chan portion)
	appended := make(chan error, 1)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		var failed error
		for p := range waiting {
			if failed != nil {
				continue
			}
			if failed = i.append(ctx, p); failed != nil {
				stop()
				i.Interrupt()
			}
		}
		appended <- failed
	}()
	var why error
	for why == nil && reading.Err() == nil {
		var p portion
		p, why = i.read(from)
		waiting <- p
	}
	close(waiting)
	if err := <-appended; err != nil {
		return fmt.Errorf("the log stopped taking the events of %s: %w; %s so far, run the import again when that is mended", i.Name, err, i.n)
	}
	if errors.Is(why, io.EOF) {
		return nil
	}
	return fmt.Errorf("line %d of %s %w; the %s before it were imported (%s)", i.lines, i.Name, why, count(i.n.Appended+i.n.Known, "event"), i.n)
}

// portion holds events that are appended together.
type portion struct {
	events []streams.Raw
	known  uint64 // that were passed over among them
}

// read reads a portion. With the error that ends the reading, io.EOF at the end, comes what was read before it.
func (i *Import) read(from *bufio.Reader) (portion, error) {
	var p portion
	for bytes := 0; len(p.events) < portionEvents && bytes < portionBytes; {
		line, err := readLine(from, maxLine+checksumSize)
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

// event returns a line as it shall stand in the log: as it was exported, with the mark of an import.
func (i *Import) event(line []byte) (streams.Raw, error) {
	line, err := i.check(line)
	if err != nil {
		return streams.Raw{}, err
	}
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

// check returns the event of a line that has come as it was exported.
func (i *Import) check(line []byte) ([]byte, error) {
	event, checked, err := checkLine(line)
	switch {
	case err != nil:
		return nil, err
	case i.checked && !checked && json.Valid(line): // else it is cut off, or no event, which says more
		return nil, errNoChecksum
	case !utf8.Valid(event):
		return nil, errors.New("is damaged: it is not UTF-8")
	case len(event) > maxLine:
		return nil, unreadable(event, errLongLine)
	}
	i.checked = i.checked || checked
	return event, nil
}

// isWord reports whether s can stand in a subject as it is.
func isWord(s string) bool { return s != "" && schema.Token(s) == s }

func (i *Import) append(ctx context.Context, p portion) error {
	n, err := i.Log.AppendAll(ctx, p.events)
	i.n.Appended += uint64(n)
	if err == nil {
		i.n.Known += p.known
		i.Progress(i.n)
	}
	return err
}

// errLongLine says that a line is longer than its limit.
var errLongLine = errors.New("the line is too long")

// readLine returns a copy of the next line without its end, which may be missing at the end of all. limit is in bytes.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limit {
			return line, errLongLine
		}
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}
