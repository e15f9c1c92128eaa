package node

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// TestGarbageIsBounded keeps 128 MiB alive: the collector lets no more garbage gather than the bound, though it lets
// three times of little gather.
func TestGarbageIsBounded(t *testing.T) {
	defer boundGarbage()()
	alive := make([]byte, 128<<20)
	const most = 80 << 20 // the bound, a tenth that is not worth another setting, and stacks
	for deadline := time.Now().Add(patience); ; {
		runtime.GC()
		goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(goal)
		live := liveHeap()
		if garbage := goal[0].Value.Uint64() - live; live >= uint64(len(alive)) && garbage <= most {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d MiB of garbage may gather beside %d that live", garbage>>20, live>>20)
		}
		<-time.After(10 * time.Millisecond)
	}
	runtime.KeepAlive(alive)
}

// TestGarbageShare lets garbage gather beside little that lives, and bounds it beside much without collecting all the
// time.
func TestGarbageShare(t *testing.T) {
	for live, want := range map[uint64]int{0: 300, 16 << 20: 300, 32 << 20: 150, 64 << 20: 75, 96 << 20: 50, 2 << 30: 40} {
		if got := garbageShare(live, mostGarbage); got != want {
			t.Errorf("%d MiB live: %d %%, want %d", live>>20, got, want)
		}
	}
}
