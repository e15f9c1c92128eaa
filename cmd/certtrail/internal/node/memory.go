package node

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
)

// littleMemory bounds the bytes below which a warning says that a control group allows too little memory.
const littleMemory = 256 << 20

// allowedMemory returns how many bytes of memory the control groups of this process allow it; root is the file system's
// root. math.MaxInt64 if they do not say.
func allowedMemory(root fs.FS) int64 {
	allowed := int64(math.MaxInt64)
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return allowed
	}
	for lines := bufio.NewScanner(bytes.NewReader(groups)); lines.Scan(); {
		group, unified := bytes.CutPrefix(lines.Bytes(), []byte("0::/"))
		if !unified {
			continue
		}
		const mount = "sys/fs/cgroup"
		for dir := path.Join(mount, string(group)); len(dir) >= len(mount); dir = path.Dir(dir) { // a group is bound by all above it
			text, err := fs.ReadFile(root, path.Join(dir, "memory.max"))
			if n, parseErr := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && parseErr == nil { // else it says "max"
				allowed = min(allowed, n)
			}
		}
	}
	return allowed
}

// boundMemory has the collector keep what Go holds to three quarters of what is allowed, and leaves the rest to SQLite,
// unless the environment says otherwise.
func boundMemory(allowed int64) (undo func()) {
	if allowed == math.MaxInt64 || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(allowed / 4 * 3)
	return func() { debug.SetMemoryLimit(before) }
}
