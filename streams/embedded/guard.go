package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

// readers limits the blocks that are read at once: one from the disk while another is looked through.
const readers = 3

// indexName names the server's account of its blocks, which it can do without.
const indexName = "index.db"

// guard keeps the log safe from the server's recovery, which works on the only copy and deletes what it cannot read. It
// reads every block before the server starts, mends what is damaged, holds the files under a second name meanwhile, and
// compares what the server has with what it read.
type guard struct {
	o      Options
	floor  uint64 // the last event that is known to have been answered
	live   bool   // the log is open: its files are read as they are in memory
	layout layout
	logger *slog.Logger
}

// layout says where the files of a log are.
type layout struct {
	dir string // Options.Dir
}

func (p layout) stream() string { return streamDir(p.dir) }
func (p layout) blocks() string { return filepath.Join(p.stream(), "msgs") }

// damaged returns where files are kept that could not be read whole, as they were.
func (p layout) damaged() string { return filepath.Join(p.dir, "damaged") }
func (p layout) held() string    { return filepath.Join(p.dir, "held") }

// The marks of a log stand beside its directory, so that they tell of a log that is gone.
func (p layout) end() string    { return p.dir + ".end" }
func (p layout) losses() string { return p.dir + ".losses" }

// Remove removes the log in dir, which must be closed, so that another takes its place. How far numbers were given
// stays known.
func Remove(dir string) error {
	p := layout{dir}
	var err error
	for _, path := range []string{p.losses(), p.dir} {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

func newGuard(o Options) *guard { return &guard{o: o, layout: layout{o.Dir}, logger: o.Logger} }

// reading holds what was found in the block files of a log.
type reading struct {
	blocks   []*blocks.Block
	events   uint64
	first    uint64 // the sequence of the first event
	last     uint64 // of the last
	end      uint64 // the last sequence that was given to an event, also to one that is gone
	gaps     schema.Gaps
	accepted schema.Gaps // gaps that an operator has accepted
	newest   time.Time   // of the last event
	account  account     // what is written down of it
	kept     int         // pages that could not be read from the disk, only from memory
	metaLost bool        // the server's description of the stream is damaged: it is made again
}

// read reads every block. It changes nothing.
func (g *guard) read(ctx context.Context) (*reading, error) {
	files := &blockFiles{dir: g.layout.blocks()}
	info, err := os.Lstat(files.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &reading{}, nil
	}
	if err == nil && !info.IsDir() {
		err = errors.New("it is no directory itself: move the one that it leads to into its place, or move all of " + g.layout.dir)
	}
	if err != nil {
		return nil, unreadable(files.dir, err)
	}
	numbers, err := files.numbers()
	if err != nil {
		return nil, err
	}
	if n := len(numbers); n > 0 && !g.live {
		if err := g.checkWritable(files.path(numbers[n-1])); err != nil {
			return nil, err
		}
	}
	r := &reading{blocks: make([]*blocks.Block, len(numbers))}
	found := make([]sightings, len(numbers))
	if err := g.scanAll(ctx, files, numbers, r.blocks, found); err != nil {
		return nil, err
	}
	for i, s := range r.blocks {
		if err := r.add(s); err != nil {
			return nil, err
		}
		if found[i].newest.After(r.newest) {
			r.newest = found[i].newest
		}
		r.accepted = r.accepted.And(found[i].accepted...)
		r.kept += found[i].kept
	}
	return r, nil
}

// scanAll scans the blocks, some at a time, and tells how far it is.
func (g *guard) scanAll(ctx context.Context, files *blockFiles, numbers []int, scans []*blocks.Block, found []sightings) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var scanning sync.WaitGroup
	var done progress
	done.report, done.total = g.o.Progress, len(numbers)
	for range min(readers, len(numbers)) {
		scanning.Go(func() {
			var buffer []byte
			for i := range next {
				var err error
				if buffer, err = g.scan(files, numbers[i], buffer, &scans[i], &found[i]); err != nil {
					cancel(err)
					return
				}
				done.step()
			}
		})
	}
	for i := range numbers {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	scanning.Wait()
	return context.Cause(ctx)
}

// scan reads one block. It returns the buffer that it read into.
func (g *guard) scan(files *blockFiles, number int, buffer []byte, into **blocks.Block, found *sightings) ([]byte, error) {
	path := files.path(number)
	read := blocks.Read
	if g.live {
		read = blocks.ReadOpen
	}
	block, err := read(path, g.o.Sync, buffer)
	if err != nil {
		return buffer, unreadable(path, err)
	}
	s, err := blocks.Scan(number, block.Bytes, found.see)
	if err != nil {
		return buffer, err
	}
	if n := len(block.Bytes); block.Size > int64(n) {
		s.Broken = append(s.Broken, blocks.Span{From: n, To: int(block.Size)})
	}
	*into, found.kept = s, block.Kept
	return block.Bytes, nil
}

// checkWritable makes sure that the server can append to the newest block.
func (g *guard) checkWritable(path string) error {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return unreadable(path, blocks.ErrNoFile)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("the log's file %s cannot be written, and nothing of the log was changed: %w; look after the disk and the file's owner, then start again", path, err)
	}
	return f.Close()
}

// progress says how far a reading is.
type progress struct {
	mu     sync.Mutex
	done   int
	total  int
	report func(done, total int)
}

func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; p.report != nil {
		p.report(p.done, p.total)
	}
}

// sightings note what is to be known of a block's events while it is read.
type sightings struct {
	newest   time.Time
	accepted schema.Gaps
	kept     int // pages of the block that could not be read from the disk
}

var acceptedPrefix = []byte("certs." + schema.LogGapAccepted + ".")

func (f *sightings) see(r *blocks.Record) {
	f.newest = r.At
	if !bytes.HasPrefix(r.Subject, acceptedPrefix) {
		return
	}
	if e, err := schema.Decode(r.Data); err == nil {
		if gap, ok := e.AcceptedGap(); ok {
			f.accepted = f.accepted.And(gap)
		}
	}
}

// add adds the next block.
func (r *reading) add(s *blocks.Block) error {
	if s.First > 0 && s.First <= r.end {
		return fmt.Errorf("the log's file %s begins with event %d, which an earlier file has, and nothing of the log was changed: move away the one that does not belong there",
			blocks.Name(s.Number), s.First)
	}
	r.end = max(r.end, s.End)
	if s.Events == 0 {
		return nil
	}
	if s.First > r.last+1 {
		r.gaps = append(r.gaps, schema.Gap{First: r.last + 1, Last: s.First - 1})
	}
	r.gaps = append(r.gaps, s.Gaps...)
	if r.first == 0 {
		r.first = s.First
	}
	r.last = s.Last
	r.events += s.Events
	return nil
}

// extend makes sequences up to end belong to the log, though no record has them.
func (r *reading) extend(end uint64) {
	r.end = max(r.end, end)
	if r.end > r.last {
		r.gaps = r.gaps.And(schema.Gap{First: r.last + 1, Last: r.end})
	}
}

// check makes sure that the server has all that was read.
func (r *reading) check(state jetstream.StreamState) error {
	if state.LastSeq == r.end && state.Msgs == r.events && (r.events == 0 || state.FirstSeq == r.first) {
		return nil
	}
	return fmt.Errorf("the log's files hold %d events up to number %d, but the server has %d up to number %d", r.events, r.end, state.Msgs, state.LastSeq)
}

// prepare makes the log's files such that the server can do them no harm, and returns what they hold. After it, release
// or putBack must be called.
func (g *guard) prepare(ctx context.Context) (*reading, error) {
	if err := g.finishHeld(); err != nil {
		return nil, err
	}
	r, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.settleEnd(r); err != nil {
		return nil, err
	}
	if r.account, err = g.noteLosses(r, time.Now()); err != nil {
		return nil, err
	}
	if err := g.mend(r); err != nil {
		return nil, err
	}
	if r.metaLost, err = g.checkMeta(); err != nil {
		return nil, err
	}
	return r, g.hold()
}

// unreadable makes the sentence for a file of the log that cannot be read.
func unreadable(path string, err error) error {
	return fmt.Errorf("the log's file %s cannot be read, and nothing of the log was changed: %w; look after the disk and the file's owner, then start again", path, err)
}
