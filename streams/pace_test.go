package streams_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestReadersOfEveryPaceSeeTheSame appends one by one and in bulk, from many goroutines, while readers of different
// pace follow, from the beginning and from the middle: each sees every event once, in order, byte for byte as the log
// has it, whether the tail or a consumer gave it.
func TestReadersOfEveryPaceSeeTheSame(t *testing.T) {
	const writers, each, bulks, window = 8, 300, 6, 50
	const n = uint64(writers*each + bulks*window)
	l := openLog(t, embedded.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := errors.New("all")
	var writing, reading sync.WaitGroup
	seen := make([][]schema.Record, 4)
	for i := range seen {
		after := []uint64{0, 0, 10, 100}[i]
		reading.Go(func() {
			if _, err := l.Watermark().Wait(ctx, after); err != nil {
				return
			}
			turn := 0
			err := l.Reader(fmt.Sprint("pace", i)).Follow(ctx, after, func(records []schema.Record) error {
				seen[i] = append(seen[i], records...)
				if turn++; i%2 == 1 && turn%3 == 0 { // falls behind: the writers get far ahead of it
					if _, err := l.Watermark().Wait(ctx, min(n, records[len(records)-1].Seq+5*streams.TailRun)); err != nil {
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
		writing.Go(func() { streamstest.Append(t, l, each) })
	}
	writing.Go(func() {
		for i := range bulks {
			if done, err := l.AppendAll(ctx, streamstest.Raws(t, i*window, window)); done != window || err != nil {
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
			if err != nil || !bytes.Equal(logged.Data, r.Data) || logged.Subject != r.Subject || r.Time.Sub(logged.Time).Abs() > streams.AskTimeout {
				t.Fatalf("reader %d got %v, and the log has %v, %v", i, r, logged, err)
			}
		}
	}
}

// TestTheTailWaitsForTheWatermark has the tail hold an event a moment before the log says that it is durable: a reader
// that was given it then, and began anew, would find itself past the log's end.
func TestTheTailWaitsForTheWatermark(t *testing.T) {
	l := openLog(t, embedded.Options{})
	streamstest.Append(t, l, 1)
	l.Watermark().AddToTail(schema.Record{Seq: 2})
	read := errors.New("read")
	err := l.Reader("early").Follow(t.Context(), 0, func(records []schema.Record) error {
		if last := records[len(records)-1].Seq; last != l.Watermark().Seq() {
			t.Errorf("it is given event %d, and the log ends at %d", last, l.Watermark().Seq())
		}
		return read
	})
	if !errors.Is(err, read) {
		t.Error(err)
	}
}
