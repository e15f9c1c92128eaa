package owner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// streamed is an event as the route for events writes it, on a line: its place, and its bytes as the log has them.
type Event struct {
	Seq     uint64
	Subject string
	Data    []byte
}

// The parts of such a line. Neither a number nor a subject can contain any of them, nor needs quoting: see schema.SubjectFor.
const (
	seqMember     = `{"seq":`
	subjectMember = `,"subject":"`
	eventMember   = `","event":`
)

func (a *Answer) Event(r *schema.Record) error {
	data := r.Data
	if bytes.IndexByte(data, '\n') >= 0 { // legal between the parts of JSON, though nothing of ours writes it
		var b bytes.Buffer
		if err := json.Compact(&b, data); err != nil {
			return fmt.Errorf("event %d is not JSON, and cannot stand on a line: %w", r.Seq, err)
		}
		data = b.Bytes()
	}
	a.w.WriteString(seqMember)
	a.w.Write(strconv.AppendUint(a.w.AvailableBuffer(), r.Seq, 10))
	a.w.WriteString(subjectMember)
	a.w.WriteString(r.Subject)
	a.w.WriteString(eventMember)
	a.w.Write(data)
	_, err := a.w.WriteString("}\n") // which has the errors of those before
	return err
}

func ReadStreamed(line []byte) (s Event, err error) {
	head, event, ok := bytes.Cut(line, []byte(eventMember))
	seq, subject, ok2 := strings.Cut(strings.TrimPrefix(string(head), seqMember), subjectMember)
	if !ok || !ok2 || !bytes.HasSuffix(event, []byte("}")) {
		return s, fmt.Errorf("the owner of the data directory sent %.80q where an event should be", line)
	}
	s.Subject, s.Data = subject, event[:len(event)-1]
	s.Seq, err = strconv.ParseUint(seq, 10, 64)
	return s, err
}
