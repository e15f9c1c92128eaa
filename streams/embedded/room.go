package embedded

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// Room says how much the log may still grow, in bytes.
type Room struct {
	Used  int64 // by the events
	Limit int64 // max-bytes: a log that has grown to it takes no more
	Free  int64 // on the disk, for everybody
	Disk  int64 // the disk's size
}

// Room returns how much room the log has now.
func (l *Log) Room(ctx context.Context) (Room, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := l.use()
	if err != nil {
		return Room{}, err
	}
	info, err := s.Stream.Info(ctx)
	if err != nil {
		return Room{}, fmt.Errorf("couldn't read the stream's state: %w", err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(l.blocks.dir, &st); err != nil {
		return Room{}, fmt.Errorf("couldn't look at the disk of the log: %w", err)
	}
	return Room{Used: int64(info.State.Bytes), Limit: info.Config.MaxBytes, Free: int64(st.Bavail) * st.Bsize, Disk: int64(st.Blocks) * st.Bsize}, nil
}
