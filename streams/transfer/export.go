package transfer

import (
	"bufio"
	"io"

	"github.com/certtrail/certtrail/schema"
)

// Export writes events as lines, each with its checksum.
type Export struct {
	w      *bufio.Writer
	at     uint64 // the last event's sequence
	events uint64
	gaps   schema.Gaps
}

// NewExport returns an export to w, which has all of it after End.
func NewExport(w io.Writer) *Export { return &Export{w: bufio.NewWriterSize(w, 256<<10)} }

// Add writes the event with the next sequence that has one.
func (x *Export) Add(seq uint64, event []byte) error {
	x.skip(seq)
	x.at = seq
	x.events++
	_, err := x.w.Write(append(addChecksum(x.w.AvailableBuffer(), event), '\n'))
	return err
}

// End ends the export of a log whose last sequence is last; the event itself may be gone.
func (x *Export) End(last uint64) error {
	x.skip(last + 1)
	return x.w.Flush()
}

func (x *Export) skip(next uint64) {
	if next > x.at+1 {
		x.gaps = append(x.gaps, schema.Gap{First: x.at + 1, Last: next - 1})
	}
}

// Events returns how many events were written.
func (x *Export) Events() uint64 { return x.events }

// Gaps returns the sequences that no event had.
func (x *Export) Gaps() schema.Gaps { return x.gaps }
