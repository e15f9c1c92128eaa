package transfer

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/google/uuid"
)

// TestIDsAreFew adds ids of every kind, counts what is new, and measures what each takes.
func TestIDsAreFew(t *testing.T) {
	const n = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what earlier tests left in pools goes with the second
	runtime.ReadMemStats(&before)
	s := newIDs()
	id := func(i uint64) string {
		if i%10 == 0 {
			return fmt.Sprint("digicert:", i)
		}
		var u uuid.UUID // as a version 1 UUID, of one machine: they differ at their beginning only
		binary.BigEndian.PutUint64(u[:], i)
		return u.String()
	}
	for i := range uint64(n) {
		if !s.add(id(i)) {
			t.Fatalf("%s is not new", id(i))
		}
	}
	for i := uint64(0); i < n; i += 7 {
		if s.add(id(i)) {
			t.Fatalf("%s is new a second time", id(i))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / n; each > 20 {
		t.Errorf("an id takes %.1f bytes, more than 20", each)
	} else {
		t.Logf("an id takes %.1f bytes", each)
	}
	runtime.KeepAlive(s)
}

// TestIDsAreExact tells ids apart that differ in a letter's case, or look like what another is kept as.
func TestIDsAreExact(t *testing.T) {
	s := newIDs()
	for _, text := range []string{"", "a:1", "a:2", "0190a5d2-0000-7000-8000-00000000000a", "0190A5D2-0000-7000-8000-00000000000a", "0190a5d2000070008000000000000 00a"} {
		if !s.add(text) || s.add(text) {
			t.Errorf("%q is not told apart", text)
		}
	}
	one, other := newIDs(), newIDs()
	one.add("a:1")
	other.add("a:1")
	for _, list := range one.lists {
		for _, k := range list {
			var digest uuid.UUID
			binary.NativeEndian.PutUint64(digest[:], k[0])
			binary.NativeEndian.PutUint64(digest[8:], k[1])
			if !other.add(digest.String()) {
				t.Errorf("%s, which anybody can know in advance, is taken for a:1", digest)
			}
		}
	}
}

// BenchmarkIDs measures one more id in a set of five million.
func BenchmarkIDs(b *testing.B) {
	const n = 5_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := newIDs()
	var u uuid.UUID
	next := uint64(0)
	add := func() {
		next++
		binary.BigEndian.PutUint64(u[:], next)
		s.add(u.String())
	}
	for range n {
		add()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for b.Loop() {
		add()
	}
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/n, "B/id")
	runtime.KeepAlive(s)
}
