package node

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// spareThreads counts the threads beyond the number of processors that may run Go.
var spareThreads atomic.Int64

// Tune sets what suits this process, unless the environment says otherwise, and returns what sets it back.
func Tune() (back func()) {
	unbound := boundMemory(allowedMemory(os.DirFS("/")))
	litter := func() {}
	if os.Getenv("GOGC") == "" {
		litter = boundGarbage()
	}
	threads := 0
	if os.Getenv("GOMAXPROCS") == "" {
		// A sync to disk and a call into SQLite each hold a thread that the scheduler counts as running Go; two more
		// let the processors run meanwhile.
		threads = runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
		spareThreads.Store(2)
	}
	return func() {
		litter()
		unbound()
		if threads != 0 {
			runtime.GOMAXPROCS(threads)
			spareThreads.Store(0)
		}
	}
}

// buildingMemory bounds what a rebuild of the read models may add to what the process holds, in bytes: what it keeps
// itself is less than half of it.
const buildingMemory = 230 << 20

// TuneBuilding sets what suits this process for as long as read models are built, until done is called. It lets more
// garbage gather, since events leave kilobytes each, but no more than the memory it bounds. And it does without spare
// threads: a rebuild keeps all processors busy, and only its goroutines would wait for one another.
func TuneBuilding() (done func()) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, int64(m.Sys-m.HeapIdle)+buildingMemory))
	moreGarbage.Add(buildingMemory - mostGarbage)
	spare := int(spareThreads.Swap(0)) // another building that is under way has taken them
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) - spare)
	return func() {
		debug.SetMemoryLimit(before)
		moreGarbage.Add(mostGarbage - buildingMemory)
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spare)
		spareThreads.Add(int64(spare))
		debug.FreeOSMemory() // what was built is in a file; the system has better use for the rest
	}
}

// sortBeside has SQLite sort what does not fit in memory beside the read models, where there is room for them, and not
// in /var/tmp, which may be small or not writable. SQLite looks at the variable once, when it is first used.
func sortBeside(dir string) {
	if os.Getenv("SQLITE_TMPDIR") == "" {
		if path, err := filepath.Abs(dir); err == nil {
			os.Setenv("SQLITE_TMPDIR", path)
		}
	}
}

// requests counts those that somebody waits for; nobody waits for the stream of changes that an open page listens to.
type requests struct{ n atomic.Int64 }

func (a *requests) any() bool { return a.n.Load() > 0 }

// count wraps h so that its requests are counted.
func (a *requests) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			a.n.Add(1)
			defer a.n.Add(-1)
		}
		h.ServeHTTP(w, r)
	})
}
