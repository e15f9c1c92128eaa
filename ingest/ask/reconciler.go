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
	lostEvery        = time.Minute          // between two looks for lost deliveries, after which a reconcile is due
)

// Found reports what a reconcile found.
type Found struct {
	Source     string         `json:"source"`
	At         time.Time      `json:"at"`
	First      bool           `json:"first"`
	Missed     map[string]int `json:"missed"` // events, by kind
	Counts     Counts         `json:"counts"`
	Incomplete int            `json:"incomplete"`         // orders that are known by number only
	Listless   bool           `json:"listless,omitempty"` // the API only answers single questions
	Error      string         `json:"error,omitempty"`    // why it came to nothing, a sentence
}

// Sentence says what was missed: "3 deliveries were missed: 2 order.issued, 1 order.rejected".
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

// Advice says how many orders are known by number only, and what to do.
func (f *Found) Advice() string {
	orders := plural(f.Incomplete, "order") + " are"
	if f.Incomplete == 1 {
		orders = "1 order is"
	}
	return fmt.Sprintf("%s known by number only; certtrail reconcile %s --describe asks about each.", orders, f.Source)
}

func (f *Found) Tell(w io.Writer) {
	c := f.Counts
	if f.Listless {
		return
	}
	fmt.Fprintf(w, "%s.\n%s told of %d orders: certtrail knew %d, and later things of %d",
		f.Sentence(), f.Source, c.Said, c.Agreed, c.Behind)
	if c.Unclear > 0 {
		fmt.Fprintf(w, "; of %d it told no state", c.Unclear)
	}
	fmt.Fprintln(w, ".")
	if f.Incomplete > 0 {
		fmt.Fprintln(w, f.Advice())
	}
	if f.First {
		fmt.Fprintln(w, "It was the first reconcile of this source: what it found counts as imported, "+
			"and nothing outside acts on it.")
	}
}

// reconcileOften reconciles a source now, on its schedule, and when a delivery was lost.
func (a *Asker) reconcileOften(ctx context.Context, name string) {
	_, ok := a.sources[name].Client.(Lister)
	if !ok {
		return
	}
	lost := uint64(0)
	for next := a.Now(); ctx.Err() == nil; {
		total := a.Lost(name)
		if !a.Now().Before(next) || total > lost {
			lost, next = total, a.Now().Add(a.Every)
			if f, err := a.Reconcile(ctx, name); err == nil {
				a.Logger.Info("reconciled", "source", name, "found", f.Sentence(), "first", f.First)
			} else if ctx.Err() == nil {
				a.Logger.Warn("a reconcile came to nothing and is tried again", "source", name, "error", err)
				next = a.Now().Add(min(a.Every, 10*time.Minute))
			}
		}
		_ = WaitFor(ctx, min(lostEvery, max(next.Sub(a.Now()), time.Millisecond))) // whose end is the loop's
	}
}

// Reconcile asks the source what it knows and appends what certtrail was not told. It must be one of the Asker's.
func (a *Asker) Reconcile(ctx context.Context, name string) (Found, error) {
	lister, ok := a.sources[name].Client.(Lister)
	if !ok {
		return Found{}, fmt.Errorf("%s has no API that tells what certtrail missed", a.sources[name].Title)
	}
	a.reconciles[name].Lock()
	defer a.reconciles[name].Unlock()
	f, err := a.reconcileWith(ctx, name, lister)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		before := a.results[name]
		before.Source, before.Error = name, err.Error()
		a.results[name] = before
		return f, err
	}
	a.results[name] = f
	return f, nil
}

func (a *Asker) reconcileWith(ctx context.Context, name string, lister Lister) (Found, error) {
	now := a.Now()
	since := a.State.Reconciled(name)
	f := Found{Source: name, At: now, First: since.IsZero(), Missed: map[string]int{}}
	since = since.Add(-reconcileOverlap)
	if earliest := now.Add(-reconcileBack); since.Before(earliest) {
		since = earliest
	}
	said, err := lister.Standings(ctx, since, now)
	if err != nil {
		return f, err
	}
	if err := a.CatchUp(ctx); err != nil {
		return f, err
	}
	believed, err := a.beliefs(ctx, name, said)
	if err != nil {
		return f, err
	}
	r := Reconcile(name, now, said, believed)
	f.Counts = r.Counts
	for _, missed := range r.Missed {
		id, err := a.NewID()
		if err != nil {
			return f, err
		}
		if _, err := a.Log.Append(ctx, missed.Event(id, a.Now(), f.First)); err != nil {
			return f, err
		}
		f.Missed[string(missed.Kind)]++
	}
	// COMMIT. What was missed is in the log; a crash before this asks for the same time again and finds that nothing is
	// missed.
	if err := errors.Join(a.State.SetReconciled(name, now), a.CatchUp(ctx)); err != nil {
		return f, err
	}
	incomplete, err := a.incomplete(ctx, name)
	for _, q := range incomplete {
		missed := func(m Missed) bool { return m.Data.OrderID == q.OrderID } // its event asks about it
		if f.First || !slices.ContainsFunc(r.Missed, missed) {
			f.Incomplete++
		}
	}
	return f, err
}

// beliefs returns what the rows say of what the provider told of.
func (a *Asker) beliefs(ctx context.Context, name string, said []provider.Standing) ([]Belief, error) {
	var list []Belief
	for _, s := range said {
		m, id := Orders, s.OrderID
		if id == "" {
			m, id = Certificates, s.CertificateID
		}
		r, ok, err := a.Known.Row(ctx, m, name, id, a.Now())
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
