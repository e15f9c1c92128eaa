package node

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// How much garbage the collector lets gather beside what lives. Each delivery leaves ten kilobytes: while little lives,
// collecting at Go's default of as much again takes a fifth of the time. But the log's index of subjects alone makes
// hundreds of megabytes live, and three times of that would be the machine's memory.
const (
	mostGarbage       = 48 << 20 // bytes
	mostGarbageShare  = 300      // percent of what lives, however little that is
	leastGarbageShare = 40       // percent of what lives, however much that is: the collector's work grows with it
)

// moreGarbage adds to mostGarbage for the moment, in bytes.
var moreGarbage atomic.Int64

// garbageShare returns the percentage for debug.SetGCPercent with which, beside so many live bytes, at most so many
// bytes of garbage gather.
func garbageShare(live, most uint64) int {
	return int(min(mostGarbageShare, max(leastGarbageShare, most*100/max(live, 1))))
}

// liveEvery sets how often the live heap is measured.
const liveEvery = time.Second

// boundGarbage keeps the garbage of this process within bounds until undo is called.
func boundGarbage() (undo func()) {
	now := func() int { return garbageShare(liveHeap(), uint64(mostGarbage+moreGarbage.Load())) }
	share := now()
	before := debug.SetGCPercent(share)
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			if next := now(); differs(share, next) {
				share = next
				debug.SetGCPercent(share)
			}
		}
	})
	return func() {
		close(ended)
		watching.Wait()
		debug.SetGCPercent(before)
	}
}

// differs reports whether next is so far from share that it is worth halting the process for a moment.
func differs(share, next int) bool { return 10*max(next-share, share-next) > share }

// liveHeap returns how many bytes the collector found alive the last time.
func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
