package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

// FailedSync describes a sync to disk that failed while the log was open.
type FailedSync struct {
	At       time.Time `json:"at"`
	Error    string    `json:"error"`
	Answered uint64    `json:"answered"` // the last event that was answered before
	Stored   uint64    `json:"stored"`   // the last that was waiting for the sync
}

// account holds what is written down of a log beside it: its losses, and a failed sync that no start has dealt with.
type account struct {
	Losses     []schema.Loss `json:"losses,omitempty"`
	FailedSync *FailedSync   `json:"failed_sync,omitempty"`
}

// readAccount reads the file at path. ok is false for one that is damaged.
func readAccount(path string) (a account, ok bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, true, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("couldn't read what is known of the log's losses: %w", err)
	}
	body, sum, _ := bytes.Cut(b, []byte("\n"))
	if string(sum) != accountSum(body) || json.Unmarshal(body, &a) != nil {
		return account{}, false, nil
	}
	return a, true, nil
}

func accountSum(body []byte) string { return fmt.Sprintf("%08x\n", crc32.ChecksumIEEE(body)) }

// writeAccount keeps a. An account of nothing is no file.
func (g *guard) writeAccount(a account) error {
	path := g.layout.losses()
	if len(a.Losses) == 0 && a.FailedSync == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	body, err := json.Marshal(a)
	if err == nil {
		err = g.replace(path, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s\n%s", body, accountSum(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("couldn't write down what is gone from the log: %w", err)
	}
	return nil
}

// noteFailedSync writes down that a sync failed, for the next start.
func (g *guard) noteFailedSync(f FailedSync) error {
	a, _, err := readAccount(g.layout.losses())
	if err != nil {
		return err
	}
	a.FailedSync = &f
	return g.writeAccount(a)
}

// settleEnd finds out how far numbers were given: what a log that ends earlier lacks is lost.
func (g *guard) settleEnd(r *reading) error {
	marked, ok, err := readEndMark(g.layout.end())
	if err != nil {
		return fmt.Errorf("couldn't read the mark of the log's end: %w", err)
	}
	if !ok {
		g.logger.Warn("the mark of the log's end is damaged, so the log's own end is taken for it", "file", g.layout.end())
	}
	marked = max(marked, g.floor)
	r.judgeCuts(marked)
	if claimed := r.claimed(); claimed <= marked || marked == 0 {
		r.extend(claimed)
	}
	r.extend(marked)
	return nil
}

// judgeCuts finds records that are cut off, and yet were whole once: all but one at the log's end that nobody was told
// of.
func (r *reading) judgeCuts(answered uint64) {
	last := true
	for _, s := range slices.Backward(r.blocks) {
		if s.Cut && (!last || s.End < answered) {
			s.Cut, s.Claims = false, s.End+1
		}
		last = last && s.Size == 0
	}
}

// claimed returns the sequence of a damaged record at the log's end; 0: there is none.
func (r *reading) claimed() uint64 {
	for _, s := range slices.Backward(r.blocks) {
		if s.Size > 0 {
			return s.Claims
		}
	}
	return 0
}

// noteLosses writes down what is gone from the log and was not known to be, and tells of all of it. now is when.
func (g *guard) noteLosses(r *reading, now time.Time) (account, error) {
	a, ok, err := readAccount(g.layout.losses())
	if err != nil {
		return a, err
	}
	if !ok {
		g.logger.Warn("the account of the log's losses is damaged and is rebuilt from the log's gaps", "file", g.layout.losses())
	}
	known := a.Losses
	a.Losses = nil
	r.accepted = r.accepted.Without(r.accepted.Without(r.gaps)) // what is there again can be lost again
	for _, gap := range r.gaps.Without(r.accepted) {
		i := slices.IndexFunc(known, func(l schema.Loss) bool { return l.Gap == gap })
		if i >= 0 {
			a.Losses = append(a.Losses, known[i])
			continue
		}
		loss := schema.Loss{Gap: gap, Found: schema.At(now)}
		loss.Cause, loss.File = r.causeOf(gap)
		a.Losses = append(a.Losses, loss)
	}
	for _, l := range a.Losses {
		g.logger.Error("events are gone from the log; see the operating guide on gaps, and settle it with certtrail log accept-gap", "gap", l.Gap,
			"cause", l.Cause, "file", l.File, "found", l.Found)
	}
	if r.kept > 0 {
		g.logger.Warn("the system keeps parts of the log in memory, so they were not read from the disk", "pages", r.kept)
		if a.FailedSync != nil {
			return a, errors.New("a sync to disk failed, and what the disk has of the log cannot be seen: another program reads its files; end it, or restart the machine, then start again")
		}
	}
	if f := a.FailedSync; f != nil {
		g.tellFailedSync(f, r)
	}
	a.FailedSync = nil
	return a, g.writeAccount(a)
}

// tellFailedSync says what became of the events that a failed sync left in doubt.
func (g *guard) tellFailedSync(f *FailedSync, r *reading) {
	back := uint64(0)
	if f.Stored > r.last {
		back = f.Stored - max(r.last, f.Answered)
	}
	g.logger.Warn("a sync to disk had failed: the log goes on with what the disk has; events that were not answered are taken back", "failed_at", f.At, "error", f.Error,
		"last_event", r.last, "last_answered", f.Answered, "taken_back", back)
}

// causeOf says how the events of a gap were lost, and the block file that says so.
func (r *reading) causeOf(gap schema.Gap) (schema.Cause, string) {
	var before *blocks.Block // the last block with events that all stand before the gap
	for _, s := range r.blocks {
		if s.Events > 0 && s.Last < gap.First {
			before = s
			continue
		}
		if !s.Whole() {
			return schema.CauseDamaged, blocks.Name(s.Number)
		}
		if s.Events == 0 {
			continue
		}
		switch {
		case before != nil && !before.Whole():
			return schema.CauseDamaged, blocks.Name(before.Number)
		case before != nil && s.Number > before.Number+1:
			return schema.CauseMissing, blocks.Name(before.Number + 1)
		case before == nil && s.Number > 1 && s.First > gap.Last:
			return schema.CauseMissing, blocks.Name(s.Number - 1)
		}
		return schema.CauseUnknown, ""
	}
	if before != nil && !before.Whole() && !before.Cut {
		return schema.CauseDamaged, blocks.Name(before.Number)
	}
	return schema.CauseEnd, ""
}
