package owner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/certtrail/certtrail/schema"
)

// EventsType names the media type of a stream of events: one CloudEvent on a line, as the log has it, with its place
// before its other members, seq.
const EventsType = "application/x-ndjson"

// Event holds one of a stream: its place, and its bytes as the log has them.
type Event struct {
	Seq  uint64
	Data []byte
}

const seqMember = `{"seq":`

// WriteEvent writes a record on a line.
func WriteEvent(w *bufio.Writer, r *schema.Record) error {
	data := r.Data
	if len(data) == 0 || data[0] != '{' || bytes.IndexByte(data, '\n') >= 0 { // legal between the parts of JSON, though nothing of ours writes it
		var b bytes.Buffer
		if err := json.Compact(&b, data); err != nil {
			return fmt.Errorf("event %d is not JSON, and cannot stand on a line: %w", r.Seq, err)
		}
		data = b.Bytes()
	}
	rest, ok := bytes.CutPrefix(data, []byte("{"))
	if !ok {
		return fmt.Errorf("event %d is not an object, and cannot bear its place", r.Seq)
	}
	w.WriteString(seqMember)
	w.Write(strconv.AppendUint(w.AvailableBuffer(), r.Seq, 10))
	if len(rest) > 1 { // else it is an object without members
		w.WriteByte(',')
	}
	w.Write(rest)
	return w.WriteByte('\n') // which has the errors of those before
}

// ReadEvents gives yield each event of a stream, until it ends or yield fails. The bytes of an event are yield's only
// until it returns.
func ReadEvents(r io.Reader, yield func(Event) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = long[:0]
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		e, err := readEvent(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return err
		}
		if err := yield(e); err != nil {
			return err
		}
	}
}

// readEvent reads a line. It takes the place away from the event by writing over its end.
func readEvent(line []byte) (e Event, err error) {
	rest, ok := bytes.CutPrefix(line, []byte(seqMember))
	at := bytes.IndexAny(rest, ",}")
	if !ok || at < 0 || !bytes.HasSuffix(rest, []byte("}")) {
		return e, fmt.Errorf("the owner of the data directory sent %.80q where an event should be", line)
	}
	if e.Seq, err = strconv.ParseUint(string(rest[:at]), 10, 64); err != nil {
		return e, fmt.Errorf("the owner of the data directory sent %.80q where an event should be: %w", line, err)
	}
	if e.Data = rest[at:]; e.Data[0] == '}' {
		e.Data = []byte("{}")
	} else {
		e.Data[0] = '{'
	}
	return e, nil
}
