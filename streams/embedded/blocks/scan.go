package blocks

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/certtrail/certtrail/schema"
)

// maxBlock limits what is read of a block file, in bytes: the server begins another at 8 MiB, and one message more
// fits. What lies beyond is damage.
const maxBlock = 64 << 20

// Span marks a part of a block file, in bytes.
type Span struct{ From, To int }

// Block says what one block file was found to hold.
type Block struct {
	Number int
	Size   int         // of the file, in bytes
	First  uint64      // the sequence of its first event; 0: it has none
	Last   uint64      // of its last event
	End    uint64      // the highest sequence that any of its records has, an erased one too
	Events uint64      // how many it has
	Gaps   schema.Gaps // between its first and its last
	Sound  []Span      // its records that their checksums vouch for, in ascending order of their sequences
	Broken []Span      // the rest
	Cut    bool        // the last of broken is the beginning of a record that was never whole
	Claims uint64      // the sequence that a whole record at the end claims, whose checksum is wrong; 0: there is none
}

// Whole reports whether every byte of the file is accounted for.
func (s *Block) Whole() bool { return len(s.Broken) == 0 }

// Scan reads a block's records out of content, and calls event for each event in it.
func Scan(number int, content []byte, event func(*Record)) (*Block, error) {
	sums, err := NewSums(number)
	if err != nil {
		return nil, err
	}
	s := &Block{Number: number, Size: len(content)}
	for at := 0; at < len(content); {
		r, ok := sums.Parse(content[at:])
		if !ok || !s.take(at, &r) {
			next := s.resume(sums, content, at)
			s.Broken = append(s.Broken, Span{at, next})
			at = next
			continue
		}
		if r.Kind == eventRecord {
			event(&r)
		}
		at += r.Length
	}
	s.judgeEnd(content)
	return s, nil
}

// take adds the record at that place. It is false for one that is sound, and yet not what can come next.
func (s *Block) take(at int, r *Record) bool {
	if r.Kind != tombstone && r.Seq > 0 && r.Seq <= s.End {
		return false
	}
	if n := len(s.Sound); n > 0 && s.Sound[n-1].To == at {
		s.Sound[n-1].To += r.Length
	} else {
		s.Sound = append(s.Sound, Span{at, at + r.Length})
	}
	if r.Kind == tombstone {
		return true
	}
	s.End = max(s.End, r.Seq)
	if r.Kind == erasedRecord {
		return true
	}
	if s.Events++; s.First == 0 {
		s.First = r.Seq
	} else if r.Seq > s.Last+1 {
		s.Gaps = append(s.Gaps, schema.Gap{First: s.Last + 1, Last: r.Seq - 1})
	}
	s.Last = r.Seq
	return true
}

// resume returns where the next sound record begins after what is broken at that place, or the end.
func (s *Block) resume(sums Sums, content []byte, at int) int {
	for next := at + 1; next+recordHead+recordSum <= len(content); next++ {
		if !likely(content[next:], s.End) {
			continue
		}
		if r, ok := sums.Parse(content[next:]); ok && (r.Kind != tombstone || r.Seq > 0) {
			return next
		}
	}
	return len(content)
}

// judgeEnd says what is broken at the end of the file from what was only begun there: a crash leaves part of a record
// that nobody was told of.
func (s *Block) judgeEnd(content []byte) {
	n := len(s.Broken)
	if n == 0 || s.Broken[n-1].To < len(content) {
		return
	}
	rest := content[s.Broken[n-1].From:]
	s.Cut = len(rest) < recordHead+recordSum || len(bytes.Trim(rest, "\x00")) == 0
	if s.Cut {
		return
	}
	claimed, length := recordSeq(rest), recordLength(rest)
	if claimed == s.End+1 && length > len(rest) {
		s.Cut = true
		return
	}
	s.Claims = s.End + 1
}

// ErrNoFile says that something else than a file stands in the place of a block.
var ErrNoFile = errors.New("it is no plain file")

// ReadOpen reads a block of an open log, of which the server and the committer look after what is on the disk.
func ReadOpen(path string, _ func(*os.File) error, buffer []byte) (block Content, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Content{Bytes: buffer}, err
	}
	defer f.Close()
	return readFile(f, buffer)
}

// Content holds what was read of a block file.
type Content struct {
	Bytes []byte
	Size  int64 // of the file, which may be more
	Kept  int   // pages that the system kept in memory, of which the disk may have something else
}

// Read reads a block file as the disk has it: what is only in memory is written first, and then forgotten, so that
// nothing is believed that a failed write left there. The buffer is used if it is large enough.
func Read(path string, sync func(*os.File) error, buffer []byte) (block Content, err error) {
	block.Bytes = buffer
	if info, err := os.Lstat(path); err != nil {
		return block, err
	} else if !info.Mode().IsRegular() {
		return block, ErrNoFile
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
	block.Kept = kept
	return block, err
}

func readFile(f *os.File, buffer []byte) (block Content, err error) {
	block.Bytes = buffer
	info, err := f.Stat()
	if err != nil {
		return block, err
	}
	take := min(info.Size(), maxBlock)
	if int64(cap(buffer)) < take {
		buffer = make([]byte, take+take/8)
	}
	n, err := io.ReadFull(f, buffer[:take])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return block, err
	}
	return Content{Bytes: buffer[:n], Size: info.Size()}, nil
}
