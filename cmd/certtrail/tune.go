package main

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// spareThreads is how many threads more than processors may run Go.
var spareThreads atomic.Int64

// tuneRuntime sets what suits this process, unless the environment says otherwise, and returns what sets it back.
func tuneRuntime() (back func()) {
	collect, threads := 0, 0
	if os.Getenv("GOGC") == "" {
		// What lives on is some tens of megabytes, and each delivery leaves ten kilobytes of garbage: at the default the collector takes a fifth of the time.
		collect = debug.SetGCPercent(300)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		// A sync to disk and a call into SQLite each hold a thread that the scheduler counts as running Go; two more let the processors run meanwhile.
		threads = runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
		spareThreads.Store(2)
	}
	return func() {
		if collect != 0 {
			debug.SetGCPercent(collect)
		}
		if threads != 0 {
			runtime.GOMAXPROCS(threads)
			spareThreads.Store(0)
		}
	}
}

// buildingMemory is how much a rebuild of the read models may add to what the process holds, in bytes: what it keeps itself is less than half of it.
const buildingMemory = 230 << 20

// tuneBuilding sets what suits this process for as long as read models are built, until done is called. It bounds the memory: events leave kilobytes of
// garbage each, and the collector would let that grow to three times of what lives, which the log's index of subjects alone can make gigabytes of. And
// it does without spare threads: a rebuild keeps all processors busy, and only its goroutines would wait for one another.
func tuneBuilding() (done func()) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, int64(m.Sys-m.HeapIdle)+buildingMemory))
	spare := int(spareThreads.Swap(0)) // another building that is under way has taken them
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) - spare)
	return func() {
		debug.SetMemoryLimit(before)
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spare)
		spareThreads.Add(int64(spare))
	}
}

// sortBeside has SQLite sort what does not fit in memory beside the read models, where there is room for them, and not in /var/tmp, which may be small
// or not writable. SQLite looks at the variable once, when it is first used.
func sortBeside(dir string) {
	if os.Getenv("SQLITE_TMPDIR") == "" {
		if path, err := filepath.Abs(dir); err == nil {
			os.Setenv("SQLITE_TMPDIR", path)
		}
	}
}

// answering counts the requests that somebody waits for. The stream of changes that an open page listens to is none of them.
type answering struct{ requests atomic.Int64 }

func (a *answering) any() bool { return a.requests.Load() > 0 }

// counted is h, with its requests counted.
func (a *answering) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			a.requests.Add(1)
			defer a.requests.Add(-1)
		}
		h.ServeHTTP(w, r)
	})
}
