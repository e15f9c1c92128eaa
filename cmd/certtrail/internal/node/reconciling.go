package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

const (
	reconcileBack    = 365 * 24 * time.Hour // how far the first reconcile of a source looks back, and any other at most
	reconcileOverlap = time.Hour            // asked for again, for clocks that differ
	lostEvery        = time.Minute          // how often it is looked whether deliveries were lost, after which a reconcile is due
)

// Found reports what a reconcile found.
type Found struct {
	Source   string         `json:"source"`
	At       time.Time      `json:"at"`
	First    bool           `json:"first"`
	Missed   map[string]int `json:"missed"` // events, by kind
	Counts   ask.Counts     `json:"counts"`
	Bare     int            `json:"bare"`               // orders of which little more than the number is known
	Listless bool           `json:"listless,omitempty"` // the provider's API lists nothing that could have been missed, and only single things are asked of it
	Error    string         `json:"error,omitempty"`    // why it came to nothing, a sentence
}

// sentence says what was missed: "3 deliveries were missed: 2 order.issued, 1 order.rejected".
func (f *Found) sentence() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(f.Missed)) {
		parts = append(parts, fmt.Sprintf("%d %s", f.Missed[kind], kind))
	}
	total := f.missed()
	switch total {
	case 0:
		return "No deliveries were missed"
	case 1:
		return "1 delivery was missed: " + parts[0]
	}
	return fmt.Sprintf("%d deliveries were missed: %s", total, strings.Join(parts, ", "))
}

// missed counts the missed deliveries.
func (f *Found) missed() int {
	total := 0
	for _, n := range f.Missed {
		total += n
	}
	return total
}

// bareness says how many orders are known by little more than their number, and what to do.
func (f *Found) bareness() string {
	return fmt.Sprintf("Of %s little more than the number is known; certtrail reconcile %s --describe asks about each.", text.Counted(f.Bare, "order"), f.Source)
}

func (f *Found) Tell(w io.Writer) {
	c := f.Counts
	if f.Listless {
		return
	}
	fmt.Fprintf(w, "%s.\n%s told of %d orders: certtrail knew %d, and later things of %d", f.sentence(), f.Source, c.Said, c.Agreed, c.Behind)
	if c.Unclear > 0 {
		fmt.Fprintf(w, "; of %d it told no state", c.Unclear)
	}
	fmt.Fprintln(w, ".")
	if f.Bare > 0 {
		fmt.Fprintln(w, f.bareness())
	}
	if f.First {
		fmt.Fprintln(w, "It was the first reconcile of this source: what it found counts as imported, and nothing outside acts on it.")
	}
}

// reconcile answers POST /reconcile.
func (o *Node) reconcile(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	return o.withModels(ctx, func(k *asking) (any, error) {
		if a := k.apis[q.Get("source")]; a != nil && q.Get("describe") != "" {
			if _, lists := a.Client.(ask.Lister); !lists && ask.Answers(a.Client) {
				return Found{Source: q.Get("source"), Listless: true}, nil
			}
		}
		return k.reconcileOne(ctx, q.Get("source"))
	})
}

// describe answers POST /describe.
func (o *Node) describe(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	return o.withModels(ctx, func(k *asking) (any, error) {
		name := r.URL.Query().Get("source")
		if k.apis[name] == nil {
			return nil, fmt.Errorf("the source %s has no API that is set up", name)
		}
		return k.describe(ctx, name, func(d Described) error { return a.Progress(d) })
	})
}

// withModels does the work with read models that follow the log.
func (o *Node) withModels(ctx context.Context, do func(k *asking) (any, error)) (any, error) {
	k, err := o.asks()
	if err != nil {
		return nil, err
	}
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	if o.endpoints == "" { // a command folds into the read models only while it needs to
		folding, stop := context.WithCancel(ctx)
		var folded sync.WaitGroup
		folded.Go(func() { store.Run(folding) })
		defer folded.Wait()
		defer stop()
	}
	return do(k)
}

// reconcileOften reconciles a source now, on its schedule, and when a delivery was lost.
func (k *asking) reconcileOften(ctx context.Context, name string) {
	_, ok := k.apis[name].Client.(ask.Lister)
	if !ok {
		return
	}
	lost := uint64(0)
	for next := k.now(); ctx.Err() == nil; {
		now := k.lost(name)
		if !k.now().Before(next) || now > lost {
			lost, next = now, k.now().Add(k.o.Config.Reconcile)
			if f, err := k.reconcileOne(ctx, name); err == nil {
				k.logger.Info("reconciled", "source", name, "found", f.sentence(), "first", f.First)
			} else if ctx.Err() == nil {
				k.logger.Warn("a reconcile came to nothing and is tried again", "source", name, "error", err)
				next = k.now().Add(min(k.o.Config.Reconcile, 10*time.Minute))
			}
		}
		_ = ask.WaitFor(ctx, min(lostEvery, max(next.Sub(k.now()), time.Millisecond))) // whose end is the loop's
	}
}

// lost counts the deliveries of the source that the log could not take.
func (k *asking) lost(name string) uint64 {
	if k.o.lost == nil {
		return 0
	}
	return k.o.lost(name)
}

// reconcileOne asks the source what it knows and appends what certtrail was not told.
func (k *asking) reconcileOne(ctx context.Context, name string) (Found, error) {
	s, err := settings.SourceNamed(k.o.Config.Sources, name)
	if err != nil {
		return Found{}, err
	}
	a := k.apis[name]
	if a == nil {
		return Found{}, s.NoAPI()
	}
	lister, ok := a.Client.(ask.Lister)
	if !ok {
		return Found{}, fmt.Errorf("%s has no API that tells what certtrail missed", s.Title())
	}
	k.reconcile[name].Lock()
	defer k.reconcile[name].Unlock()
	f, err := k.reconcileWith(ctx, name, lister)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		before := k.found[name]
		before.Source, before.Error = name, err.Error()
		k.found[name] = before
		return f, err
	}
	k.found[name] = f
	return f, nil
}

func (k *asking) reconcileWith(ctx context.Context, name string, lister ask.Lister) (Found, error) {
	asked := k.now()
	since := k.state.Reconciled(name)
	f := Found{Source: name, At: asked, First: since.IsZero(), Missed: map[string]int{}}
	since = since.Add(-reconcileOverlap)
	if earliest := asked.Add(-reconcileBack); since.Before(earliest) {
		since = earliest
	}
	said, err := lister.Standings(ctx, since, asked)
	if err != nil {
		return f, err
	}
	if err := k.modelsNow(ctx); err != nil {
		return f, err
	}
	believed, err := k.believed(ctx, name, said)
	if err != nil {
		return f, err
	}
	r := ask.Reconcile(name, asked, said, believed)
	f.Counts = r.Counts
	for _, missed := range r.Missed {
		id, err := newID()
		if err != nil {
			return f, err
		}
		if _, err := k.o.log.Append(ctx, missed.Event(id, k.now(), f.First)); err != nil {
			return f, err
		}
		f.Missed[string(missed.Kind)]++
	}
	// COMMIT. What was missed is in the log; a crash before this asks for the same time again and finds that nothing is missed.
	if err := errors.Join(k.state.SetReconciled(name, asked), k.modelsNow(ctx)); err != nil {
		return f, err
	}
	bare, err := k.bare(ctx, name)
	for _, q := range bare {
		if f.First || !slices.ContainsFunc(r.Missed, func(m ask.Missed) bool { return m.Data.OrderID == q.OrderID }) { // which its event has asked about
			f.Bare++
		}
	}
	return f, err
}

// believed returns what the read models say of what the provider told of.
func (k *asking) believed(ctx context.Context, name string, said []provider.Standing) ([]ask.Belief, error) {
	var list []ask.Belief
	for _, s := range said {
		if s.OrderID == "" {
			c, err := projections.One(ctx, k.o.Store, projections.Certificates, name, s.CertificateID, k.row())
			if err == nil {
				list = append(list, ask.Belief{CertificateID: c.ID, State: c.State, LastEventAt: toldAt(c.Timeline)})
			} else if !errors.Is(err, projections.ErrNotFound) {
				return nil, err
			}
			continue
		}
		o, err := projections.One(ctx, k.o.Store, projections.Orders, name, s.OrderID, k.row())
		if err == nil {
			list = append(list, ask.Belief{OrderID: o.ID, CertificateID: o.CertificateID, State: o.State, LastEventAt: toldAt(o.Timeline)})
		} else if !errors.Is(err, projections.ErrNotFound) {
			return nil, err
		}
	}
	return list, nil
}

// toldAt returns when the last event came that may tell of a state. What certtrail asked for itself meanwhile, a
// certificate say, tells of none.
func toldAt(timeline []projections.TimelineEntry) time.Time {
	for _, entry := range slices.Backward(timeline) {
		if k := schema.KindOf(entry.Type); k != schema.CertificateCollected && k != schema.OrderDescribed {
			return entry.Time.Time
		}
	}
	return time.Time{}
}
