package embedded

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/certtrail/certtrail/schema"
)

// blockMost is the largest block file that is read whole, in bytes: the server begins another at 8 MiB, and one message more fits. What lies beyond is damage.
const blockMost = 64 << 20

// span is a part of a block file, in bytes.
type span struct{ from, to int }

// scan is what one block file was found to hold.
type scan struct {
	number int
	size   int         // of the file, in bytes
	first  uint64      // the sequence of its first event; 0: it has none
	last   uint64      // of its last event
	end    uint64      // the highest sequence that any of its records has, an erased one too
	events uint64      // how many it has
	gaps   schema.Gaps // between its first and its last
	sound  []span      // its records that their checksums vouch for, in ascending order of their sequences
	broken []span      // the rest
	cut    bool        // the last of broken is the beginning of a record that was never whole
	claims uint64      // the sequence that a whole record at the end claims, whose checksum is wrong; 0: there is none
}

// whole tells whether every byte of the file is accounted for.
func (s *scan) whole() bool { return len(s.broken) == 0 }

// scanBlock reads a block's records out of content, and calls event for each event in it.
func scanBlock(number int, content []byte, event func(*record)) (*scan, error) {
	sums, err := newSums(number)
	if err != nil {
		return nil, err
	}
	s := &scan{number: number, size: len(content)}
	for at := 0; at < len(content); {
		r, ok := sums.parse(content[at:])
		if !ok || !s.take(at, &r) {
			next := s.resume(sums, content, at)
			s.broken = append(s.broken, span{at, next})
			at = next
			continue
		}
		if r.kind == eventRecord {
			event(&r)
		}
		at += r.length
	}
	s.judgeEnd(content)
	return s, nil
}

// take adds the record at that place. It is false for one that is sound, and yet not what can come next.
func (s *scan) take(at int, r *record) bool {
	if r.kind != tombstone && r.seq > 0 && r.seq <= s.end {
		return false
	}
	if n := len(s.sound); n > 0 && s.sound[n-1].to == at {
		s.sound[n-1].to += r.length
	} else {
		s.sound = append(s.sound, span{at, at + r.length})
	}
	if r.kind == tombstone {
		return true
	}
	s.end = max(s.end, r.seq)
	if r.kind == erasedRecord {
		return true
	}
	if s.events++; s.first == 0 {
		s.first = r.seq
	} else if r.seq > s.last+1 {
		s.gaps = append(s.gaps, schema.Gap{First: s.last + 1, Last: r.seq - 1})
	}
	s.last = r.seq
	return true
}

// resume is where the next sound record begins after what is broken at that place, or the end.
func (s *scan) resume(sums sums, content []byte, at int) int {
	for next := at + 1; next+recordHead+recordSum <= len(content); next++ {
		if !likely(content[next:], s.end) {
			continue
		}
		if r, ok := sums.parse(content[next:]); ok && (r.kind != tombstone || r.seq > 0) {
			return next
		}
	}
	return len(content)
}

// judgeEnd tells what is broken at the end of the file from what was only begun there: a crash leaves part of a record that nobody was told of.
func (s *scan) judgeEnd(content []byte) {
	n := len(s.broken)
	if n == 0 || s.broken[n-1].to < len(content) {
		return
	}
	rest := content[s.broken[n-1].from:]
	s.cut = len(rest) < recordHead+recordSum || len(bytes.Trim(rest, "\x00")) == 0
	if s.cut {
		return
	}
	claimed, length := recordSeq(rest), recordLength(rest)
	if claimed == s.end+1 && length > len(rest) {
		s.cut = true
		return
	}
	s.claims = s.end + 1
}

var errNoFile = errors.New("it is no plain file")

// readOpenBlock reads a block of an open log, of which the server and the committer look after what is on the disk.
func readOpenBlock(path string, _ SyncFunc, buffer []byte) (block blockContent, err error) {
	f, err := os.Open(path)
	if err != nil {
		return blockContent{bytes: buffer}, err
	}
	defer f.Close()
	return readFile(f, buffer)
}

// blockContent is what was read of a block file.
type blockContent struct {
	bytes []byte
	size  int64 // of the file, which may be more
	kept  int   // pages that the system kept in memory, of which the disk may have something else
}

// readBlock reads a block file as the disk has it: what is only in memory is written first, and then forgotten, so that nothing is believed that a failed
// write left there. The buffer is used if it is large enough.
func readBlock(path string, sync SyncFunc, buffer []byte) (block blockContent, err error) {
	block.bytes = buffer
	if info, err := os.Lstat(path); err != nil {
		return block, err
	} else if !info.Mode().IsRegular() {
		return block, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return block, err
	}
	defer f.Close()
	// A write that failed before this process began is told of once; what follows it is what the disk has.
	if err := sync(f); err != nil {
		if err := sync(f); err != nil {
			return block, err
		}
	}
	kept, err := dropCache(f)
	if err != nil {
		return block, err
	}
	block, err = readFile(f, buffer)
	block.kept = kept
	return block, err
}

func readFile(f *os.File, buffer []byte) (block blockContent, err error) {
	block.bytes = buffer
	info, err := f.Stat()
	if err != nil {
		return block, err
	}
	take := min(info.Size(), blockMost)
	if int64(cap(buffer)) < take {
		buffer = make([]byte, take+take/8)
	}
	n, err := io.ReadFull(f, buffer[:take])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return block, err
	}
	return blockContent{bytes: buffer[:n], size: info.Size()}, nil
}
