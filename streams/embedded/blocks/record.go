package blocks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/minio/highwayhash"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// A record of a block file is, in little-endian order: its length (4 bytes, the highest bit tells whether the message
// has headers), the sequence (8, the two highest bits mark what was deleted), the time in Unix nanoseconds (8), the
// subject's length (2), the subject, the headers with their length before them (4), the message, and a HighwayHash-64
// over all but the lengths (8), whose key is the SHA-256 of "STREAM-BLOCK" (nats-server, server/filestore.go).
const (
	recordHead   = 22
	recordSum    = 8
	maxRecord    = 32 << 20
	headersBit   = 1 << 31
	deletedBits  = 3 << 62
	erasedBit    = 1 << 63
	tombstoneBit = 1 << 62
	headerLength = 4
	MaxSequence  = 1 << 48 // no log gets there: a larger one is damage
)

// recordKind says what a record is.
type recordKind int

const (
	eventRecord  recordKind = iota
	erasedRecord            // holds the place of an event that is gone
	tombstone               // says that an event elsewhere was deleted
)

// Record holds an event in a block file, or what holds the place of one.
type Record struct {
	Kind    recordKind
	Seq     uint64 // without its marks
	Length  int    // in the file
	At      time.Time
	Subject []byte
	Data    []byte // without the headers
}

// event returns the record as readers are given it, which shares the memory that the record was read from.
func (r *Record) event() schema.Record {
	return schema.Record{Seq: r.Seq, Subject: string(r.Subject), Time: r.At, Data: r.Data}
}

// Sums makes the checksums of one block's records. One goroutine uses it at a time.
type Sums struct{ hash *highwayhash.Digest64 }

func NewSums(block int) (Sums, error) {
	key := sha256.Sum256([]byte(streams.StreamName + "-" + strconv.Itoa(block)))
	hash, err := highwayhash.NewDigest64(key[:])
	return Sums{hash}, err
}

// recordLength returns the length that the record at the beginning of b claims, 0 where none has that length. b has a
// head's length at least.
func recordLength(b []byte) int {
	n := binary.LittleEndian.Uint32(b) &^ headersBit
	if n < recordHead+recordSum || n > maxRecord {
		return 0
	}
	return int(n)
}

// recordSeq returns the sequence that the record at the beginning of b claims, without its marks.
func recordSeq(b []byte) uint64 { return binary.LittleEndian.Uint64(b[4:]) &^ deletedBits }

// Parse reads the record that b begins with. It is false where that is not whole, or its checksum does not vouch for
// it.
func (s Sums) Parse(b []byte) (r Record, ok bool) {
	if len(b) < recordHead {
		return r, false
	}
	length, seq := recordLength(b), recordSeq(b)
	if length == 0 || length > len(b) || seq > MaxSequence {
		return r, false
	}
	body, sum := b[recordHead:length-recordSum:length-recordSum], b[length-recordSum:length]
	subject := int(binary.LittleEndian.Uint16(b[20:]))
	if subject > len(body) {
		return r, false
	}
	rest, headers := body[subject:], 0
	if binary.LittleEndian.Uint32(b)&headersBit != 0 {
		if len(rest) < headerLength {
			return r, false
		}
		headers = int(binary.LittleEndian.Uint32(rest))
		if rest = rest[headerLength:]; headers > len(rest) {
			return r, false
		}
	}
	s.hash.Reset()
	s.hash.Write(b[4:20])
	s.hash.Write(body[:subject])
	s.hash.Write(rest)
	if s.hash.Sum64() != binary.LittleEndian.Uint64(sum) {
		return r, false
	}
	return Record{
		Kind: kindOf(b), Seq: seq, Length: length,
		At: time.Unix(0, int64(binary.LittleEndian.Uint64(b[12:]))), Subject: body[:subject], Data: rest[headers:],
	}, true
}

func kindOf(b []byte) recordKind {
	switch marked := binary.LittleEndian.Uint64(b[4:]); {
	case marked&tombstoneBit != 0:
		return tombstone
	case marked&erasedBit != 0 || marked == 0:
		return erasedRecord
	}
	return eventRecord
}

// Erased returns a record that holds the place of the event with that sequence, so that its number is never given to
// another.
func (s Sums) Erased(seq uint64, at time.Time) []byte {
	b := make([]byte, recordHead, recordHead+recordSum)
	binary.LittleEndian.PutUint32(b, recordHead+recordSum)
	binary.LittleEndian.PutUint64(b[4:], seq|erasedBit)
	binary.LittleEndian.PutUint64(b[12:], uint64(at.UnixNano()))
	s.hash.Reset()
	s.hash.Write(b[4:20])
	return binary.LittleEndian.AppendUint64(b, s.hash.Sum64())
}

// subjectPrefix begins the subject of every event.
var subjectPrefix = []byte(schema.Subjects[:len(schema.Subjects)-1])

// likely tells, for a fraction of what parse costs, whether a record may begin b: only then is it worth to look at its
// checksum.
func likely(b []byte, after uint64) bool {
	length, seq := recordLength(b), recordSeq(b)
	if length == 0 || length > len(b) || seq <= after || seq > MaxSequence {
		return false
	}
	if kindOf(b) != eventRecord {
		return true
	}
	subject := int(binary.LittleEndian.Uint16(b[20:]))
	return recordHead+subject <= length-recordSum && bytes.HasPrefix(b[recordHead:recordHead+subject], subjectPrefix)
}
