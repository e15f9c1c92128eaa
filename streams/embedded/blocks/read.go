package blocks

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// chunkBytes limits what is read of a block file at once.
const chunkBytes = 1 << 20

// blockReader reads a stream's messages out of its block files, for a tenth of what it costs to have the server deliver
// them. It takes nothing for granted: each record must have its checksum and follow the one before, or a gap that is
// known. Whatever is otherwise (a damaged message, another gap, compression, encryption, another layout) ends the
// reading with ErrUnclear; what it has yielded until then stands.
type blockReader struct {
	dir   Dir
	gaps  schema.Gaps // known to be in the log
	seq   uint64      // the last record yielded
	until uint64
	yield func([]schema.Record) error

	sums  Sums
	chunk []byte // the bytes read and not yet taken
	spare []byte // what chunk is part of, if no record keeps it, to be read into again
}

// Read yields the messages after `after` up to until, all of which are durable, and passes over gaps.
func (d Dir) Read(ctx context.Context, after, until uint64, gaps schema.Gaps, yield func([]schema.Record) error) error {
	r := &blockReader{dir: d, gaps: gaps, seq: after, until: until, yield: yield}
	numbers, err := r.blocks()
	for ; err == nil && r.seq < until; numbers = numbers[1:] {
		if len(numbers) == 0 {
			return streams.ErrUnclear
		}
		err = r.block(ctx, numbers[0])
	}
	return err
}

// blocks returns the numbers of the block that holds the message after seq, and of all that follow.
func (r *blockReader) blocks() ([]int, error) {
	numbers, err := Numbers(string(r.dir))
	if err != nil {
		return nil, streams.ErrUnclear
	}
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
		if _, known := r.gaps.At(r.seq + 1); !known {
			return nil, streams.ErrUnclear
		}
		at = 0 // the log's beginning is gone
	}
	return numbers[at:], nil
}

// first returns the sequence that block n begins with, 0 if that is unclear.
func (r *blockReader) first(n int) uint64 {
	f, err := os.Open(filepath.Join(string(r.dir), Name(n)))
	if err != nil {
		return 0
	}
	defer f.Close()
	var head [recordHead]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return 0
	}
	if kindOf(head[:]) == tombstone {
		return 0
	}
	return recordSeq(head[:])
}

// block yields what is to be read of block n.
func (r *blockReader) block(ctx context.Context, n int) error {
	f, err := os.Open(filepath.Join(string(r.dir), Name(n)))
	if errors.Is(err, fs.ErrNotExist) {
		return streams.ErrUnclear
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if r.sums, err = NewSums(n); err != nil {
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
			return streams.ErrUnclear // half a record: nothing durable ends so
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
		size += recordLength(r.chunk)
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

// records takes all whole records out of the chunk that are to be yielded.
func (r *blockReader) records() ([]schema.Record, error) {
	var list []schema.Record
	for r.seq < r.until && len(r.chunk) >= recordHead {
		length := recordLength(r.chunk)
		if length == 0 {
			return list, streams.ErrUnclear
		}
		if length > len(r.chunk) {
			break
		}
		if recordSeq(r.chunk) <= r.seq || kindOf(r.chunk) != eventRecord { // the block begins before what was asked for, or no event stands here
			r.chunk = r.chunk[length:]
			continue
		}
		stored, ok := r.sums.Parse(r.chunk[:length:length])
		if !ok || stored.Seq > r.seq+1 && !r.gaps.Covers(schema.Gap{First: r.seq + 1, Last: stored.Seq - 1}) {
			return list, streams.ErrUnclear
		}
		e := stored.event()
		e.Missing = e.Seq - r.seq - 1
		r.chunk, r.seq, r.spare = r.chunk[length:], e.Seq, nil
		list = append(list, e)
	}
	return list, nil
}
