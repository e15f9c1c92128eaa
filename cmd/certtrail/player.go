package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// player sends the demo's deliveries: first a set of stories that show every kind of state, quickly, then new orders at a pace a person can watch.
type player struct {
	base    string
	sources []source
	pace    time.Duration
	now     time.Time
	ca      map[string]*authority
	stories []story // under way
	next    int     // number of the next order
	written map[string]bool
}

// opening is the pace of the first deliveries.
const opening = 60 * time.Millisecond

// step is one delivery; a step with a certificate gets a fresh one.
type step struct {
	provider, event string
	params          map[string]string
	certificate     *validity
}

type validity struct {
	from, until time.Duration // from now
	names       []string
}

type story []step

func newPlayer(base string, sources []source, pace time.Duration) *player {
	return &player{base: base, sources: sources, pace: pace, now: time.Now(), ca: map[string]*authority{}, next: 1, written: map[string]bool{}}
}

// play sends until ctx ends. What goes wrong is said once on w, and the play goes on.
func (p *player) play(ctx context.Context, w io.Writer) {
	for _, st := range openingStories(p.now) {
		for _, one := range st {
			if !p.wait(ctx, opening) {
				return
			}
			p.send(ctx, w, one)
		}
	}
	for p.wait(ctx, p.pace) {
		if len(p.stories) < 4 {
			p.stories = append(p.stories, p.newStory())
		}
		i := rand.IntN(len(p.stories))
		p.send(ctx, w, p.stories[i][0])
		if p.stories[i] = p.stories[i][1:]; len(p.stories[i]) == 0 {
			p.stories = append(p.stories[:i], p.stories[i+1:]...)
		}
	}
}

func (p *player) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (p *player) send(ctx context.Context, w io.Writer, one step) {
	err := p.deliver(ctx, one)
	if err != nil && ctx.Err() == nil && !p.written[err.Error()] {
		p.written[err.Error()] = true
		fmt.Fprintf(w, "A delivery of the demo was not taken: %v\n", err)
	}
}

func (p *player) deliver(ctx context.Context, one step) error {
	source, err := sourceNamed(p.sources, one.provider)
	if err != nil {
		return err
	}
	params := []string{}
	for name, value := range one.params {
		params = append(params, name+"="+value)
	}
	if v := one.certificate; v != nil {
		ca, err := p.authority(source.system.Title + " Sample CA")
		if err != nil {
			return err
		}
		leaf, err := ca.issue(p.now.Add(v.from), p.now.Add(v.until-time.Second), v.names...) // its last second counts
		if err != nil {
			return err
		}
		params = append(params, "certificate="+leaf, "ca_certificate="+ca.pem)
	}
	d, err := buildSample(source.system, one.event, params)
	if err != nil {
		return err
	}
	_, _, err = deliver(ctx, p.base, source.name, source.system.New(source.get), d)
	return err
}

func (p *player) authority(name string) (*authority, error) {
	if ca := p.ca[name]; ca != nil {
		return ca, nil
	}
	ca, err := newAuthority(name, p.now)
	p.ca[name] = ca
	return ca, err
}
