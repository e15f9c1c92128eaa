package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// Report says what a log's files hold, and what of them is damaged.
type Report struct {
	Events   uint64      `json:"events"`
	Last     uint64      `json:"last_seq"`
	Gaps     schema.Gaps `json:"gaps,omitempty"`     // that no operator has accepted
	Accepted schema.Gaps `json:"accepted,omitempty"` // gaps that one has
	Damage   []Damage    `json:"damage,omitempty"`
}

// Damage describes one file that is not whole.
type Damage struct {
	File   string `json:"file"`
	Places int    `json:"places"` // how many parts of it are no sound record
	Bytes  int    `json:"bytes"`  // in all of them
	Cut    bool   `json:"cut"`    // it is only a record at the end that was never whole, as a crash leaves it
}

// Sound reports whether nothing is damaged or gone but what an operator has accepted.
func (r *Report) Sound() bool {
	for _, d := range r.Damage {
		if !d.Cut {
			return false
		}
	}
	return len(r.Gaps) == 0
}

func (g *guard) report(r *reading) *Report {
	report := &Report{Events: r.events, Last: r.end, Gaps: r.gaps.Without(r.accepted), Accepted: r.accepted}
	for _, s := range r.blocks {
		if s.Whole() {
			continue
		}
		d := Damage{File: (&blockFiles{dir: g.layout.blocks()}).path(s.Number), Places: len(s.Broken), Cut: s.Cut && len(s.Broken) == 1}
		for _, part := range s.Broken {
			d.Bytes += part.To - part.From
		}
		report.Damage = append(report.Damage, d)
	}
	return report
}

// Check reads the closed log in o.Dir and tells what of it is damaged. It changes nothing.
func Check(ctx context.Context, o Options) (*Report, error) {
	g, err := guardOf(o)
	if err != nil {
		return nil, err
	}
	r, err := g.read(ctx)
	if err == nil {
		err = g.settleEnd(r)
	}
	if err != nil {
		return nil, err
	}
	return g.report(r), nil
}

// Repair does to the closed log in o.Dir what Open does before the server starts, and tells what was damaged.
func Repair(ctx context.Context, o Options) (*Report, error) {
	g, err := guardOf(o)
	if err != nil {
		return nil, err
	}
	r, err := g.prepare(ctx)
	if err != nil {
		return nil, err
	}
	return g.report(r), g.release()
}

func guardOf(o Options) (*guard, error) {
	if _, err := os.Stat(o.Dir); err != nil {
		return nil, fmt.Errorf("there is no log in %s: %w", o.Dir, err)
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	return newGuard(o), nil
}

// Check does what the function Check does, for a log that is open. What is being appended meanwhile is not looked at.
func (l *Log) Check(ctx context.Context, progress func(done, total int)) (*Report, error) {
	last := l.durable.Seq()
	o := l.guard.o
	o.Progress = progress
	g := newGuard(o)
	g.live = true
	r, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	r.extend(last)
	r.accepted = l.Accepted()
	return g.report(r), nil
}

// errRepair freezes the log while it is being repaired.
var errRepair = errors.New("the log is being repaired")

// Repair does what the function Repair does, for a log that is open: its server is started again, and appends wait
// meanwhile.
func (l *Log) Repair(ctx context.Context) (*Report, error) {
	report, err := l.Check(ctx, nil)
	if err != nil {
		return nil, err
	}
	l.commits.freeze(errRepair)
	for {
		err := l.commits.ask(ctx)
		if err == nil {
			return report, nil
		}
		if !errors.Is(err, streams.ErrUnavailable) || ctx.Err() != nil || l.Err() != nil {
			return nil, fmt.Errorf("couldn't repair the log: %w", err)
		}
		if err := pause(ctx, retryInterval); err != nil {
			return nil, err
		}
	}
}
