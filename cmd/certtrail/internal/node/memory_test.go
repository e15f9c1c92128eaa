package node

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

// TestAllowedMemory asks the group of the process and all above it, of which any may bind it.
func TestAllowedMemory(t *testing.T) {
	const group = "sys/fs/cgroup/system.slice/certtrail.service/memory.max"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no groups":           {nil, math.MaxInt64},
		"groups of old":       {map[string]string{"proc/self/cgroup": "4:memory:/docker/1\n"}, math.MaxInt64},
		"no limit":            {map[string]string{"proc/self/cgroup": "0::/system.slice/certtrail.service\n", group: "max\n"}, math.MaxInt64},
		"its own limit":       {map[string]string{"proc/self/cgroup": "0::/system.slice/certtrail.service\n", group: "1073741824\n"}, 1 << 30},
		"its slice's":         {map[string]string{"proc/self/cgroup": "0::/system.slice/certtrail.service\n", group: "max\n", "sys/fs/cgroup/system.slice/memory.max": "4096\n"}, 4096},
		"that of a container": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
	} {
		files := fstest.MapFS{}
		for path, text := range c.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := allowedMemory(files); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

// TestMemoryIsBoundByWhatIsAllowed leaves a quarter to SQLite.
func TestMemoryIsBoundByWhatIsAllowed(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	undo := boundMemory(1 << 30)
	if got := debug.SetMemoryLimit(-1); got != 768<<20 {
		t.Errorf("the collector keeps to %d bytes", got)
	}
	undo()
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("the limit stays %d", got)
	}
}
