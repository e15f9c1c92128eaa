package projections

import (
	"runtime"
	"sync"
)

// partsAhead bounds how many parts are worked on, or wait to be taken.
const partsAhead = 4

// errStopped ends a source whose parts nobody takes any more.
var errStopped = reason("nobody takes the parts any more")

// ahead takes, in order and on the caller's goroutine, what work makes of each part that source yields. source runs on
// a goroutine of its own, work on several at once. It returns once all of them have ended: with take's error, or else
// with the source's.
func ahead[P, W any](source func(yield func(P) error) error, work func(P) W, take func(W) error) error {
	parts := make(chan chan W, partsAhead)
	workers := make(chan struct{}, max(1, runtime.NumCPU()-1)) // the caller has work of its own
	stop := make(chan struct{})
	var sourced error
	var running sync.WaitGroup
	running.Go(func() {
		defer close(parts)
		sourced = source(func(part P) error {
			done := make(chan W, 1)
			select {
			case parts <- done:
			case <-stop:
				return errStopped
			}
			workers <- struct{}{}
			running.Go(func() {
				done <- work(part)
				<-workers
			})
			return nil
		})
	})
	var err error
	for done := range parts {
		if w := <-done; err == nil {
			if err = take(w); err != nil {
				close(stop)
			}
		}
	}
	running.Wait()
	if err != nil {
		return err
	}
	return sourced
}
