package listen

import (
	"fmt"
	"syscall"
)

// spareDescriptors counts the files that the process keeps for itself, if its limit allows: the log's blocks, the read
// models and those built beside them, sockets.
const spareDescriptors = 64

// shares divides the connections among the listeners.
type shares struct{ Hooks, Web, Subscribers int }

// DescriptorLimit returns how many files and sockets this process may have open. Go has raised the soft limit to the
// hard one.
func DescriptorLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("couldn't read the limit of open files: %w", err)
	}
	const most = 1 << 20 // more than any listener gets
	return int(min(limit.Cur, most)), nil
}

// SharesOf divides the descriptors: what the process needs itself comes first, and the listeners have the rest. More
// than mostConnections only cost memory.
func SharesOf(limit int) shares {
	const mostConnections = 4096
	own := max(min(spareDescriptors, limit*3/4), limit/4)
	eighth := (limit - own) / 8
	return shares{Hooks: min(3*eighth, mostConnections), Web: min(3*eighth, mostConnections), Subscribers: min(2*eighth, mostConnections)}
}
