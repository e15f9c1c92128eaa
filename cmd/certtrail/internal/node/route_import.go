package node

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// How an import goes along: what has been read is appended in portions, while the next one is read.
const (
	PortionEvents = 4096
	portionBytes  = 16 << 20
	maxLine       = streams.MaxEvent - 128 // bytes; the mark of an import is added to it
)

// imported is what became of the events that were read: appended, or passed over because the log had them.
type Imported struct {
	Appended uint64 `json:"appended"`
	Known    uint64 `json:"known"`
}

func (n Imported) String() string {
	s := text.Count(n.Appended, "event")
	if n.Known > 0 {
		s += fmt.Sprintf(", %s were there already", text.Commas(n.Known))
	}
	return s
}

// importer reads events and appends those that are new.
type importer struct {
	log   *streams.Log
	name  string // of what is read, for messages
	mark  []byte // the member that tells an imported event
	known *ids

	interrupt func()         // ends the read under way: who sends may pause for ever, as a person at a terminal does
	progress  func(Imported) // is told what is in the log, from one goroutine; never after run
	n         Imported       // of the portions that are appended
	lines     int            // read so far
	checked   bool           // one of them bore a checksum, so all after it must
}

// importEvents appends the events of the request's body.
func (o *Node) importEvents(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	if !o.importing.TryLock() {
		return nil, errors.New("another import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	i := &importer{
		log: o.log, name: r.URL.Query().Get("name"), known: newIDs(),
		interrupt: func() { a.Control.SetReadDeadline(time.Now()) }, progress: func(n Imported) { a.Progress(n) },
	}
	defer context.AfterFunc(ctx, i.interrupt)()
	i.mark = []byte(`"certtrailimported":"` + schema.At(time.Now()).String() + `",`)
	if err := i.known.addAll(ctx, o.log); err != nil {
		return nil, fmt.Errorf("couldn't find out which events the log has: %w", err)
	}
	err := i.run(ctx, bufio.NewReaderSize(r.Body, 256<<10))
	if ctx.Err() != nil && !errors.Is(err, streams.ErrUnavailable) { // of the log's failure, the end of the request is only the consequence
		return nil, ctx.Err()
	}
	return i.n, err
}

// run reads one portion while the one before is appended.
func (i *importer) run(ctx context.Context, from *bufio.Reader) error {
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
				i.interrupt()
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
		return fmt.Errorf("the log stopped taking the events of %s: %w; %s so far, run the import again when that is mended", i.name, err, i.n)
	}
	if errors.Is(why, io.EOF) {
		return nil
	}
	return fmt.Errorf("line %d of %s %w; the %s before it were imported (%s)", i.lines, i.name, why, text.Count(i.n.Appended+i.n.Known, "event"), i.n)
}

// portion is events that are appended together.
type portion struct {
	events []streams.Raw
	known  uint64 // that were passed over among them
}

// read reads a portion. With the error that ends the reading, io.EOF at the end, comes what was read before it.
func (i *importer) read(from *bufio.Reader) (portion, error) {
	var p portion
	for bytes := 0; len(p.events) < PortionEvents && bytes < portionBytes; {
		line, err := owner.ReadLine(from, maxLine+checksumSize)
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
	if errors.Is(err, owner.ErrLongLine) {
		return fmt.Errorf("is longer than the %s bytes that an event may have", text.Commas(maxLine))
	}
	return fmt.Errorf("is cut off after %d bytes: %w", len(line), err)
}

func trimSpace(line []byte) []byte { return bytes.Trim(line, " \t\r") }

// event is a line as it shall stand in the log: as it was exported, with the mark of an import.
func (i *importer) event(line []byte) (streams.Raw, error) {
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
func (i *importer) check(line []byte) ([]byte, error) {
	event, checked, err := checkLine(line)
	switch {
	case err != nil:
		return nil, err
	case i.checked && !checked && json.Valid(line): // else it is cut off, or no event, which says more
		return nil, errNoChecksum
	case !utf8.Valid(event):
		return nil, errors.New("is damaged: it is not UTF-8")
	case len(event) > maxLine:
		return nil, unreadable(event, owner.ErrLongLine)
	}
	i.checked = i.checked || checked
	return event, nil
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

// ids is a set of event ids, each as 16 bytes: a UUID as it is, any other by its digest. They lie close together in many small lists, by a hash of them:
// at five million they take 18 bytes each, a map's 29.
type ids struct {
	salt  [16]byte // of the digests, so that nobody can make one that is the same as another id
	seed  maphash.Seed
	lists [1 << 16][]id
}

type id [2]uint64 // quick to compare

func newIDs() *ids {
	s := &ids{seed: maphash.MakeSeed()}
	rand.Read(s.salt[:])
	return s
}

// add adds an id and tells whether it is new.
func (s *ids) add(text string) bool {
	key, err := uuid.Parse(text)
	if err != nil || len(text) != 36 || key.String() != text {
		sum := sha256.Sum256(append(s.salt[:], text...))
		copy(key[:], sum[:])
	}
	list := &s.lists[maphash.Bytes(s.seed, key[:])%uint64(len(s.lists))]
	k := id{binary.NativeEndian.Uint64(key[:]), binary.NativeEndian.Uint64(key[8:])}
	for _, other := range *list {
		if other == k {
			return false
		}
	}
	if n := len(*list); n == cap(*list) { // append would double it
		*list = append(slices.Grow([]id(nil), n+n/8+1), *list...)
	}
	*list = append(*list, k)
	return true
}

// addAll adds the id of every event in the log.
func (s *ids) addAll(ctx context.Context, log *streams.Log) error {
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
