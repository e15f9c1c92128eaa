package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

// endMark keeps a file that says up to which number events were answered. It is written after each sync and never
// synced by itself: a process that dies leaves it exact, and a power cut leaves it true, if old. So a log that ends
// before it has lost events.
type endMark struct {
	f    *os.File
	path string
	at   uint64
}

const endMarkFormat = "%020d %08x\n"

// readEndMark reads the mark. It is 0 where there is none; ok is false for one that is damaged.
func readEndMark(path string) (seq uint64, ok bool, err error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return 0, false, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	var sum uint32
	if _, err := fmt.Sscanf(string(b), "%d %x\n", &seq, &sum); err != nil || string(b) != endMarkText(seq) || seq > blocks.MaxSequence {
		return 0, false, nil
	}
	return seq, true, nil
}

func endMarkText(seq uint64) string {
	return fmt.Sprintf(endMarkFormat, seq, crc32.ChecksumIEEE(binary.BigEndian.AppendUint64(nil, seq)))
}

// openEndMark opens the mark at path to be written, and sets it.
func openEndMark(path string, seq uint64, sync SyncFunc) (*endMark, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("couldn't open the mark of the log's end: %w", err)
	}
	m := &endMark{f: f, path: path}
	if err := errors.Join(m.write(seq), f.Truncate(int64(len(endMarkText(0)))), sync(f)); err != nil {
		f.Close()
		return nil, fmt.Errorf("couldn't write the mark of the log's end: %w", err)
	}
	return m, nil
}

// reopen opens the mark again, which somebody may have removed.
func (m *endMark) reopen(seq uint64, sync SyncFunc) (*endMark, error) {
	next, err := openEndMark(m.path, max(seq, m.at), sync)
	if err != nil {
		return m, err
	}
	m.f.Close() // all of it has been written to the other
	return next, nil
}

// advance moves the mark. That it cannot be written loses nothing: the log is what counts.
func (m *endMark) advance(seq uint64) {
	if seq > m.at {
		m.write(seq)
	}
}

func (m *endMark) write(seq uint64) error {
	m.at = seq
	_, err := m.f.WriteAt([]byte(endMarkText(seq)), 0)
	return err
}

// close makes the mark durable.
func (m *endMark) close(sync SyncFunc) error { return errors.Join(sync(m.f), m.f.Close()) }
