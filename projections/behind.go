package projections

// jobsBehind bounds how many statements wait to be run.
const jobsBehind = 512

// behind runs statements in their order on a goroutine of its own, so that folding goes on while SQLite writes. After
// one that fails no more run.
type behind struct {
	jobs   chan job
	failed chan struct{} // closed once err is set
	err    error
	ended  chan struct{}
}

// job runs a statement with its arguments, or do, or only tells somebody that all before it has run.
type job struct {
	statement *statement
	args      []any
	do        func() error
	done      chan<- struct{}
}

// writeBehind lets d run statements behind the caller until it is caught up for the last time, by stopBehind or close.
// Whoever needs a result waits for all before it; what went wrong is told by the next call of any kind.
func (d *database) writeBehind() {
	d.behind = &behind{jobs: make(chan job, jobsBehind), failed: make(chan struct{}), ended: make(chan struct{})}
	go d.behind.run()
}

func (b *behind) run() {
	defer close(b.ended)
	for j := range b.jobs {
		if b.err == nil {
			if b.err = j.run(); b.err != nil {
				close(b.failed)
			}
		}
		if j.done != nil {
			close(j.done)
		}
	}
}

func (j *job) run() error {
	switch {
	case j.statement != nil:
		return j.statement.runNow(j.args)
	case j.do != nil:
		return j.do()
	}
	return nil
}

// put has j run after all before it.
func (b *behind) put(j job) error {
	select {
	case <-b.failed:
		return b.err
	default:
	}
	b.jobs <- j
	return nil
}

// caughtUp returns once everything has run, with what went wrong.
func (d *database) caughtUp() error {
	if d.behind == nil {
		return nil
	}
	done := make(chan struct{})
	d.behind.jobs <- job{done: done}
	<-done
	return d.behind.err
}

// stopBehind ends the writing behind, with what went wrong in it.
func (d *database) stopBehind() error {
	if d.behind == nil {
		return nil
	}
	b := d.behind
	d.behind = nil
	close(b.jobs)
	<-b.ended
	return b.err
}
