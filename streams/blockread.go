package streams

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/minio/highwayhash"

	"github.com/certtrail/certtrail/schema"
)

// errUnclear says that the block files do not say plainly what comes next, and the server has to.
var errUnclear = errors.New("the block files do not say plainly what comes next")

// A record of a block file is, in little-endian order: its length (4 bytes, the highest bit tells whether the message has headers), the sequence (8, the
// two highest bits mark what was deleted), the time in Unix nanoseconds (8), the subject's length (2), the subject, the headers with their length before
// them (4), the message, and a HighwayHash-64 over all but the lengths (8), whose key is the SHA-256 of "STREAM-BLOCK".
const (
	recordHead   = 22
	recordSum    = 8
	recordMost   = 32 << 20
	headersBit   = 1 << 31
	deletedBits  = 3 << 62
	chunkBytes   = 1 << 20
	headerLength = 4
)

// blockReader reads a stream's messages out of its block files, for a tenth of what it costs to have the server deliver them. It takes nothing for
// granted: each record must have its checksum and follow the one before. Whatever is otherwise (a deleted or damaged message, a gap, compression,
// encryption, another layout) ends the reading with errUnclear; what it has yielded until then stands.
type blockReader struct {
	files *blockFiles
	seq   uint64 // the last record yielded
	until uint64
	yield func([]schema.Record) error

	hash  *highwayhash.Digest64
	chunk []byte // the bytes read and not yet taken
	spare []byte // what chunk is part of, if no record keeps it, to be read into again
}

// read yields the messages after `after` up to until, all of which are durable.
func (b *blockFiles) read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	r := &blockReader{files: b, seq: after, until: until, yield: yield}
	n, err := r.find()
	for ; err == nil && r.seq < until; n++ {
		err = r.block(ctx, n)
	}
	return err
}

// find is the number of the block that holds the message after seq.
func (r *blockReader) find() (int, error) {
	entries, err := os.ReadDir(r.files.dir)
	if err != nil {
		return 0, errUnclear
	}
	var numbers []int
	for _, e := range entries {
		if n, ok := blockNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	at, found := slices.BinarySearchFunc(numbers, r.seq+1, func(n int, seq uint64) int {
		first := r.first(n)
		if first == 0 || first > seq {
			return 1
		} else if first < seq {
			return -1
		}
		return 0
	})
	if !found {
		at--
	}
	if at < 0 {
		return 0, errUnclear
	}
	return numbers[at], nil
}

// first is the sequence that block n begins with, 0 if that is unclear.
func (r *blockReader) first(n int) uint64 {
	f, err := os.Open(r.files.path(n))
	if err != nil {
		return 0
	}
	defer f.Close()
	var head [recordHead]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return 0
	}
	seq := binary.LittleEndian.Uint64(head[4:])
	if seq&deletedBits != 0 {
		return 0
	}
	return seq
}

// block yields what is to be read of block n.
func (r *blockReader) block(ctx context.Context, n int) error {
	f, err := os.Open(r.files.path(n))
	if errors.Is(err, fs.ErrNotExist) {
		return errUnclear
	}
	if err != nil {
		return err
	}
	defer f.Close()
	key := sha256.Sum256([]byte(StreamName + "-" + strconv.Itoa(n)))
	if r.hash, err = highwayhash.NewDigest64(key[:]); err != nil {
		return err
	}
	r.chunk = nil
	for r.seq < r.until {
		more, err := r.fill(f)
		if err != nil {
			return err
		}
		records, err := r.records()
		if len(records) > 0 {
			if err := r.yield(records); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if !more && len(r.chunk) > 0 && r.seq < r.until {
			return errUnclear // half a record: nothing durable ends so
		}
		if !more {
			return ctx.Err()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads on in f, and tells whether there may be more.
func (r *blockReader) fill(f *os.File) (more bool, err error) {
	size := chunkBytes
	if len(r.chunk) >= recordHead { // it begins with a record of which a part is missing
		size += int(min(recordMost, recordLength(r.chunk)))
	}
	next := r.spare
	if len(next) < size {
		next = make([]byte, size)
	}
	kept := copy(next, r.chunk)
	n, err := io.ReadFull(f, next[kept:])
	r.chunk, r.spare = next[:kept+n], next
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return false, nil
	}
	return false, err
}

func recordLength(b []byte) uint32 { return binary.LittleEndian.Uint32(b) &^ headersBit }

// records takes all whole records out of the chunk that are to be yielded.
func (r *blockReader) records() ([]schema.Record, error) {
	var list []schema.Record
	for r.seq < r.until && len(r.chunk) >= recordHead {
		length := recordLength(r.chunk)
		if length < recordHead+recordSum || length > recordMost {
			return list, errUnclear
		}
		if int(length) > len(r.chunk) {
			break
		}
		if seq := binary.LittleEndian.Uint64(r.chunk[4:]); seq <= r.seq { // nobody asked for the beginning of this block
			r.chunk = r.chunk[length:]
			continue
		}
		record, ok := r.record(r.chunk[:length:length])
		if !ok || record.Seq != r.seq+1 {
			return list, errUnclear
		}
		r.chunk, r.seq, r.spare = r.chunk[length:], record.Seq, nil
		list = append(list, record)
	}
	return list, nil
}

// record is the record b if it is whole, sound and not deleted.
func (r *blockReader) record(b []byte) (schema.Record, bool) {
	seq := binary.LittleEndian.Uint64(b[4:])
	subject := int(binary.LittleEndian.Uint16(b[20:]))
	body, sum := b[recordHead:len(b)-recordSum], b[len(b)-recordSum:]
	if seq == 0 || seq&deletedBits != 0 || subject > len(body) {
		return schema.Record{}, false
	}
	rest, headers := body[subject:], 0
	if binary.LittleEndian.Uint32(b)&headersBit != 0 {
		if len(rest) < headerLength {
			return schema.Record{}, false
		}
		headers = int(binary.LittleEndian.Uint32(rest))
		if rest = rest[headerLength:]; headers > len(rest) {
			return schema.Record{}, false
		}
	}
	r.hash.Reset()
	r.hash.Write(b[4:20])
	r.hash.Write(body[:subject])
	r.hash.Write(rest)
	if r.hash.Sum64() != binary.LittleEndian.Uint64(sum) {
		return schema.Record{}, false
	}
	at := time.Unix(0, int64(binary.LittleEndian.Uint64(b[12:])))
	return schema.Record{Seq: seq, Subject: string(body[:subject]), Time: at, Data: rest[headers:]}, true
}
