package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"

	"github.com/certtrail/certtrail/schema"
)

// Summary says in few words what a log holds up to a sequence: two logs of the same summary hold the same events in the
// same places.
type Summary struct {
	Events   uint64      `json:"events"`
	FirstSeq uint64      `json:"first_seq"`      // of the first event; 0 when there is none
	LastSeq  uint64      `json:"last_seq"`       // that this is a summary up to
	Gaps     schema.Gaps `json:"gaps,omitempty"` // sequences up to LastSeq that no event has
	Digest   string      `json:"digest"`         // SHA-256 over each event's sequence, time, subject and bytes, in hex
}

// Equal reports whether both logs hold the same.
func (s Summary) Equal(o Summary) bool {
	return s.Events == o.Events && s.FirstSeq == o.FirstSeq && s.LastSeq == o.LastSeq && s.Digest == o.Digest && slices.Equal(s.Gaps, o.Gaps)
}

// Reader reads a log from one sequence to another.
type Reader interface {
	Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error
}

// Summarize reads every event up to the sequence `until`, which the log must have reached. It calls progress, unless it
// is nil, with the events read so far.
func Summarize(ctx context.Context, l Reader, until uint64, progress func(events uint64)) (Summary, error) {
	s := Summary{LastSeq: until}
	at := uint64(0)
	h := sha256.New()
	err := l.Read(ctx, 0, until, func(records []schema.Record) error {
		for i := range records {
			r := &records[i]
			s.skip(at, r.Seq)
			if at = r.Seq; s.FirstSeq == 0 {
				s.FirstSeq = r.Seq
			}
			digest(h, r)
		}
		s.Events += uint64(len(records))
		if progress != nil {
			progress(s.Events)
		}
		return nil
	})
	s.skip(at, until+1)
	s.Digest = hex.EncodeToString(h.Sum(nil))
	return s, err
}

// skip notes what is missing between an event and the next one.
func (s *Summary) skip(at, next uint64) {
	if next > at+1 {
		s.Gaps = append(s.Gaps, schema.Gap{First: at + 1, Last: next - 1})
	}
}

func digest(h hash.Hash, r *schema.Record) {
	var b [32]byte
	binary.BigEndian.PutUint64(b[:], r.Seq)
	binary.BigEndian.PutUint64(b[8:], uint64(r.Time.UnixNano()))
	binary.BigEndian.PutUint64(b[16:], uint64(len(r.Subject)))
	binary.BigEndian.PutUint64(b[24:], uint64(len(r.Data)))
	h.Write(b[:])
	h.Write([]byte(r.Subject))
	h.Write(r.Data)
}
