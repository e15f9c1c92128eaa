package projections

import (
	"context"
	"fmt"
	"time"
)

// The pace of what nobody waits for.
const (
	scrubShare = 20        // of so many parts of the time one is worked
	scrubSpare = 512 << 20 // bytes that the disk must have left beside what is built
	restMost   = 5 * time.Second
)

// pace keeps long work slow, so that whoever waits for an answer does not notice it.
type pace struct {
	s       *Store
	began   time.Time     // of the piece of work at hand
	worked  time.Duration // in all pieces before
	hurried bool          // somebody waits for it now, who was told that the read models are being rebuilt
}

// rest lets others go first after a piece of work, for longer than that took, and tells when to give up.
func (p *pace) rest(ctx context.Context) error {
	took := p.s.o.Now().Sub(p.began)
	p.worked += took
	for left := took * (scrubShare - 1); left > 0 && !p.hurried && ctx.Err() == nil; left -= restMost {
		p.hurried = p.s.await(ctx, min(left, restMost))
	}
	p.s.GiveWay(ctx)
	p.began = p.s.o.Now()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.s.roomFor(0)
}

// await waits for so long, or until ctx ends or a row is suspected.
func (s *Store) await(ctx context.Context, d time.Duration) (suspected bool) {
	select {
	case <-ctx.Done():
	case <-s.suspects:
		return true
	case <-s.o.After(d):
	}
	return false
}

// roomFor tells why so many bytes should not be written beside the read models.
func (s *Store) roomFor(size int64) error {
	if s.o.Free == nil {
		return nil
	}
	free, err := s.o.Free()
	if err != nil {
		return fmt.Errorf("couldn't find out how much room the disk has: %w", err)
	}
	if need := size + scrubSpare; free < need {
		return fmt.Errorf("the disk has %d MiB left, and it needs %d", free>>20, need>>20)
	}
	return nil
}
