package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

// player sends the demo's deliveries: first a set of stories that show every kind of state, quickly, then new orders at
// a pace a person can watch.
type player struct {
	base    string
	sources []settings.Source
	pace    time.Duration
	Now     time.Time
	ca      map[string]*Authority
	stories []story // under way
	next    int     // number of the next order
	written map[string]bool
}

// opening paces the first deliveries.
const opening = 60 * time.Millisecond

// step describes one delivery; a step with a certificate gets a fresh one.
type step struct {
	Provider, Event string
	params          map[string]string
	certificate     *validity
}

type validity struct {
	from, until time.Duration // from now
	names       []string
}

type story []step

func NewPlayer(base string, sources []settings.Source, pace time.Duration) *player {
	return &player{base: base, sources: sources, pace: pace, Now: time.Now(), ca: map[string]*Authority{}, next: 1, written: map[string]bool{}}
}

// Play sends until ctx ends. What goes wrong is said once on w, and the play goes on.
func (p *player) Play(ctx context.Context, w io.Writer) {
	for _, st := range OpeningStories(p.Now) {
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
	err := p.Deliver(ctx, one)
	if err != nil && ctx.Err() == nil && !p.written[err.Error()] {
		p.written[err.Error()] = true
		fmt.Fprintf(w, "A delivery of the demo was not taken: %v\n", err)
	}
}

func (p *player) Deliver(ctx context.Context, one step) error {
	source, err := settings.SourceNamed(p.sources, one.Provider)
	if err != nil {
		return err
	}
	params := []string{}
	for name, value := range one.params {
		params = append(params, name+"="+value)
	}
	if v := one.certificate; v != nil {
		ca, err := p.authority(source.System.Title + " Sample CA")
		if err != nil {
			return err
		}
		leaf, err := ca.Issue(p.Now.Add(v.from), p.Now.Add(v.until-time.Second), v.names...) // its last second counts
		if err != nil {
			return err
		}
		params = append(params, "certificate="+leaf, "ca_certificate="+ca.PEM)
	}
	d, err := sample.Build(source.System, one.Event, params)
	if err != nil {
		return err
	}
	_, _, err = sample.Deliver(ctx, p.base, source.Name, source.System.New(source.Setting), d)
	return err
}

func (p *player) authority(name string) (*Authority, error) {
	if ca := p.ca[name]; ca != nil {
		return ca, nil
	}
	ca, err := NewAuthority(name, p.Now)
	p.ca[name] = ca
	return ca, err
}
