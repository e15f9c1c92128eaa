package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
)

const (
	reconcileBack    = 365 * 24 * time.Hour // how far the first reconcile of a source looks back, and any other at most
	reconcileOverlap = time.Hour            // asked for again, for clocks that differ
	lostEvery        = time.Minute          // how often it is looked whether deliveries were lost, after which a reconcile is due
)

// Found is what a reconcile found.
type Found struct {
	Source   string         `json:"source"`
	At       time.Time      `json:"at"`
	First    bool           `json:"first"`
	Missed   map[string]int `json:"missed"` // events, by kind
	Counts   Counts         `json:"counts"`
	Bare     int            `json:"bare"`               // orders of which little more than the number is known
	Listless bool           `json:"listless,omitempty"` // the provider's API lists nothing that could have been missed, and only single things are asked of it
	Error    string         `json:"error,omitempty"`    // why it came to nothing, a sentence
}

// Sentence is what was missed: "3 deliveries were missed: 2 order.issued, 1 order.rejected".
func (f *Found) Sentence() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(f.Missed)) {
		parts = append(parts, fmt.Sprintf("%d %s", f.Missed[kind], kind))
	}
	total := f.Events()
	switch total {
	case 0:
		return "No deliveries were missed"
	case 1:
		return "1 delivery was missed: " + parts[0]
	}
	return fmt.Sprintf("%d deliveries were missed: %s", total, strings.Join(parts, ", "))
}

// Events counts what was missed.
func (f *Found) Events() int {
	total := 0
	for _, n := range f.Missed {
		total += n
	}
	return total
}

// Advice says how many orders are known by little more than their number, and what to do.
func (f *Found) Advice() string {
	return fmt.Sprintf("Of %s little more than the number is known; certtrail reconcile %s --describe asks about each.", plural(f.Bare, "order"), f.Source)
}

func (f *Found) Tell(w io.Writer) {
	c := f.Counts
	if f.Listless {
		return
	}
	fmt.Fprintf(w, "%s.\n%s told of %d orders: certtrail knew %d, and later things of %d", f.Sentence(), f.Source, c.Said, c.Agreed, c.Behind)
	if c.Unclear > 0 {
		fmt.Fprintf(w, "; of %d it told no state", c.Unclear)
	}
	fmt.Fprintln(w, ".")
	if f.Bare > 0 {
		fmt.Fprintln(w, f.Advice())
	}
	if f.First {
		fmt.Fprintln(w, "It was the first reconcile of this source: what it found counts as imported, and nothing outside acts on it.")
	}
}

// reconcileOften reconciles a source now, on its schedule, and when a delivery was lost.
func (k *Asker) reconcileOften(ctx context.Context, name string) {
	_, ok := k.sources[name].Client.(Lister)
	if !ok {
		return
	}
	lost := uint64(0)
	for next := k.Now(); ctx.Err() == nil; {
		now := k.Lost(name)
		if !k.Now().Before(next) || now > lost {
			lost, next = now, k.Now().Add(k.Every)
			if f, err := k.Reconcile(ctx, name); err == nil {
				k.Logger.Info("reconciled", "source", name, "found", f.Sentence(), "first", f.First)
			} else if ctx.Err() == nil {
				k.Logger.Warn("a reconcile came to nothing and is tried again", "source", name, "error", err)
				next = k.Now().Add(min(k.Every, 10*time.Minute))
			}
		}
		_ = WaitFor(ctx, min(lostEvery, max(next.Sub(k.Now()), time.Millisecond))) // whose end is the loop's
	}
}

// Reconcile asks the source what it knows and appends what certtrail was not told. The source must be one of the Asker's.
func (k *Asker) Reconcile(ctx context.Context, name string) (Found, error) {
	lister, ok := k.sources[name].Client.(Lister)
	if !ok {
		return Found{}, fmt.Errorf("%s has no API that tells what certtrail missed", k.sources[name].Title)
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

func (k *Asker) reconcileWith(ctx context.Context, name string, lister Lister) (Found, error) {
	asked := k.Now()
	since := k.State.Reconciled(name)
	f := Found{Source: name, At: asked, First: since.IsZero(), Missed: map[string]int{}}
	since = since.Add(-reconcileOverlap)
	if earliest := asked.Add(-reconcileBack); since.Before(earliest) {
		since = earliest
	}
	said, err := lister.Standings(ctx, since, asked)
	if err != nil {
		return f, err
	}
	if err := k.CatchUp(ctx); err != nil {
		return f, err
	}
	believed, err := k.believed(ctx, name, said)
	if err != nil {
		return f, err
	}
	r := Reconcile(name, asked, said, believed)
	f.Counts = r.Counts
	for _, missed := range r.Missed {
		id, err := k.NewID()
		if err != nil {
			return f, err
		}
		if _, err := k.Log.Append(ctx, missed.Event(id, k.Now(), f.First)); err != nil {
			return f, err
		}
		f.Missed[string(missed.Kind)]++
	}
	// COMMIT. What was missed is in the log; a crash before this asks for the same time again and finds that nothing is missed.
	if err := errors.Join(k.State.SetReconciled(name, asked), k.CatchUp(ctx)); err != nil {
		return f, err
	}
	bare, err := k.bare(ctx, name)
	for _, q := range bare {
		if f.First || !slices.ContainsFunc(r.Missed, func(m Missed) bool { return m.Data.OrderID == q.OrderID }) { // which its event has asked about
			f.Bare++
		}
	}
	return f, err
}

// believed is what the rows say of what the provider told of.
func (k *Asker) believed(ctx context.Context, name string, said []provider.Standing) ([]Belief, error) {
	var list []Belief
	for _, s := range said {
		m, id := Orders, s.OrderID
		if id == "" {
			m, id = Certificates, s.CertificateID
		}
		r, ok, err := k.Known.Row(ctx, m, name, id, k.Now())
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		b := Belief{OrderID: r.ID, CertificateID: r.CertificateID, State: r.State, LastEventAt: r.StateAt}
		if m == Certificates {
			b.OrderID, b.CertificateID = "", r.ID
		}
		list = append(list, b)
	}
	return list, nil
}
