package streams

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestReadersOfEveryPaceSeeTheSame appends one by one and in bulk, from many goroutines, while readers of different pace follow, from the beginning and from
// the middle: each sees every event once, in order, byte for byte as the log has it, whether the tail or a consumer gave it.
func TestReadersOfEveryPaceSeeTheSame(t *testing.T) {
	const writers, each, bulks, window = 8, 300, 6, 50
	const n = uint64(writers*each + bulks*window)
	l := openLog(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := errors.New("all")
	var writing, reading sync.WaitGroup
	seen := make([][]schema.Record, 4)
	for i := range seen {
		after := []uint64{0, 0, 10, 100}[i]
		reading.Go(func() {
			if _, err := l.durable.Wait(ctx, after); err != nil {
				return
			}
			turn := 0
			err := l.Reader(fmt.Sprint("pace", i)).Follow(ctx, after, func(records []schema.Record) error {
				seen[i] = append(seen[i], records...)
				if turn++; i%2 == 1 && turn%3 == 0 { // falls behind: the writers get far ahead of it
					if _, err := l.durable.Wait(ctx, min(n, records[len(records)-1].Seq+5*tailRun)); err != nil {
						return err
					}
				}
				if records[len(records)-1].Seq == n {
					return all
				}
				return nil
			})
			if !errors.Is(err, all) {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	for range writers {
		writing.Go(func() { appendN(t, l, each) })
	}
	writing.Go(func() {
		for i := range bulks {
			if done, err := l.AppendAll(ctx, raws(t, i*window, window)); done != window || err != nil {
				t.Errorf("bulk %d: %d %v", i, done, err)
			}
		}
	})
	writing.Wait()
	reading.Wait()
	for i, records := range seen {
		for j, r := range records {
			if want := records[0].Seq + uint64(j); r.Seq != want || r.Missing != 0 {
				t.Fatalf("reader %d got event %d with %d missing, want %d", i, r.Seq, r.Missing, want)
			}
			if j%37 != 0 {
				continue
			}
			logged, err := l.Get(t.Context(), r.Seq)
			if err != nil || !bytes.Equal(logged.Data, r.Data) || logged.Subject != r.Subject || r.Time.Sub(logged.Time).Abs() > askTimeout {
				t.Fatalf("reader %d got %v, and the log has %v, %v", i, r, logged, err)
			}
		}
	}
}

// TestTailIsBounded adds events of all sizes: a tail holds some of the last ones, in a row, and not much more than it may.
func TestTailIsBounded(t *testing.T) {
	tl := &tail{}
	for seq := uint64(1); seq <= 20_000; seq++ {
		size := 100
		if seq > 10_000 {
			size = 50_000
		}
		tl.add([]schema.Record{{Seq: seq, Data: make([]byte, size)}})
		if tl.bytes > 2*tailBytes+size || len(tl.records) > 2*tailEvents {
			t.Fatalf("after event %d it holds %d events, %d bytes", seq, len(tl.records), tl.bytes)
		}
		if got := tl.after(seq-1, math.MaxUint64); len(got) != 1 || got[0].Seq != seq {
			t.Fatalf("after event %d comes %v", seq-1, got)
		}
	}
	if got := tl.after(20_000, math.MaxUint64); got != nil {
		t.Errorf("after the last comes %v", got)
	}
	if got := tl.after(1, math.MaxUint64); got != nil {
		t.Errorf("it goes on from an event that it does not hold with %d", got[0].Seq)
	}
	tl.add([]schema.Record{{Seq: 30_000}})
	if tl.after(20_000, math.MaxUint64) != nil || len(tl.after(29_999, math.MaxUint64)) != 1 {
		t.Error("a hole is not seen")
	}
}

// TestTheTailWaitsForTheWatermark has the tail hold an event a moment before the log says that it is durable: a reader that was given it then, and began
// anew, would find itself past the log's end.
func TestTheTailWaitsForTheWatermark(t *testing.T) {
	l := openLog(t, Options{})
	appendN(t, l, 1)
	l.durable.tail.add([]schema.Record{{Seq: 2}})
	read := errors.New("read")
	err := l.Reader("early").Follow(t.Context(), 0, func(records []schema.Record) error {
		if last := records[len(records)-1].Seq; last != l.durable.Seq() {
			t.Errorf("it is given event %d, and the log ends at %d", last, l.durable.Seq())
		}
		return read
	})
	if !errors.Is(err, read) {
		t.Error(err)
	}
}
