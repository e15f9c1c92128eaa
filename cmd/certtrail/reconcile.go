package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

const (
	reconcileBack    = 365 * 24 * time.Hour // how far the first reconcile of a source looks back, and any other at most
	reconcileOverlap = time.Hour            // asked for again, for clocks that differ
	lostEvery        = time.Minute          // how often it is looked whether deliveries were lost, after which a reconcile is due
)

func reconcileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reconcile PROVIDER",
		Short: "Ask a provider's API what certtrail was not told, and append it",
		Long: "Ask a provider's API where its orders stand, and append the events whose deliveries were missed. The first reconcile of a provider brings in what exists there\n" +
			"already, as an import would: nothing outside acts on it.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("reconcile wants a provider, for example: certtrail reconcile digicert")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := reachOwner(cmd, true)
			if err != nil {
				return err
			}
			defer c.close()
			var f found
			if err := c.call(cmd.Context(), http.MethodPost, "/reconcile", url.Values{"source": args}, nil, nil, &f); err != nil {
				return err
			}
			f.tell(cmd.OutOrStdout())
			return nil
		},
	}
	addOwnerSettings(cmd)
	return cmd
}

// found is what a reconcile found.
type found struct {
	Source string         `json:"source"`
	At     time.Time      `json:"at"`
	First  bool           `json:"first"`
	Missed map[string]int `json:"missed"` // events, by kind
	Counts ask.Counts     `json:"counts"`
	Error  string         `json:"error,omitempty"` // why it came to nothing, a sentence
}

// sentence is what was missed: "3 deliveries were missed: 2 order.issued, 1 order.rejected".
func (f *found) sentence() string {
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

// missed is how many deliveries.
func (f *found) missed() int {
	total := 0
	for _, n := range f.Missed {
		total += n
	}
	return total
}

func (f *found) tell(w io.Writer) {
	c := f.Counts
	fmt.Fprintf(w, "%s.\n%s told of %d orders: certtrail knew %d, and later things of %d", f.sentence(), f.Source, c.Said, c.Agreed, c.Behind)
	if c.Unclear > 0 {
		fmt.Fprintf(w, "; of %d it told no state", c.Unclear)
	}
	fmt.Fprintln(w, ".")
	if f.First {
		fmt.Fprintln(w, "It was the first reconcile of this source: what it found counts as imported, and nothing outside acts on it.")
	}
}

// reconcile is POST /reconcile.
func (o *owner) reconcile(ctx context.Context, _ *answer, r *http.Request) (any, error) {
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
	return k.reconcileOne(ctx, r.URL.Query().Get("source"))
}

// reconcileOften reconciles a source now, on its schedule, and when a delivery was lost.
func (k *asking) reconcileOften(ctx context.Context, name string) {
	lister, ok := k.apis[name].client.(ask.Lister)
	if !ok || lister == nil {
		return
	}
	lost := uint64(0)
	for next := k.now(); ctx.Err() == nil; {
		now := k.lost(name)
		if !k.now().Before(next) || now > lost {
			lost, next = now, k.now().Add(k.o.c.reconcile)
			if f, err := k.reconcileOne(ctx, name); err == nil {
				k.logger.Info("reconciled", "source", name, "found", f.sentence(), "first", f.First)
			} else if ctx.Err() == nil {
				k.logger.Warn("a reconcile came to nothing and is tried again", "source", name, "error", err)
				next = k.now().Add(min(k.o.c.reconcile, 10*time.Minute))
			}
		}
		_ = ask.WaitFor(ctx, min(lostEvery, max(next.Sub(k.now()), time.Millisecond))) // whose end is the loop's
	}
}

// lost is how many deliveries of the source the log could not take.
func (k *asking) lost(name string) uint64 {
	if k.o.lost == nil {
		return 0
	}
	return k.o.lost(name)
}

// reconcileOne asks the source what it knows and appends what certtrail was not told.
func (k *asking) reconcileOne(ctx context.Context, name string) (found, error) {
	s, err := k.o.c.source(name)
	if err != nil {
		return found{}, err
	}
	a := k.apis[name]
	if a == nil {
		return found{}, s.noAPI()
	}
	lister, ok := a.client.(ask.Lister)
	if !ok {
		return found{}, fmt.Errorf("%s has no API that tells what certtrail missed", s.system.Title)
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

func (k *asking) reconcileWith(ctx context.Context, name string, lister ask.Lister) (found, error) {
	asked := k.now()
	since := k.state.reconciled(name)
	f := found{Source: name, At: asked, First: since.IsZero(), Missed: map[string]int{}}
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
	return f, errors.Join(k.state.setReconciled(name, asked), k.modelsNow(ctx))
}

// believed is what the read models say of what the provider told of.
func (k *asking) believed(ctx context.Context, name string, said []schema.Standing) ([]ask.Belief, error) {
	var list []ask.Belief
	for _, s := range said {
		if s.OrderID == "" {
			c, err := k.o.store.Certificate(ctx, name, s.CertificateID, k.now())
			if err == nil {
				list = append(list, ask.Belief{CertificateID: c.ID, State: c.State, LastEventAt: toldAt(c.Timeline)})
			} else if !errors.Is(err, projections.ErrNotFound) {
				return nil, err
			}
			continue
		}
		o, err := k.o.store.Order(ctx, name, s.OrderID, k.now())
		if err == nil {
			list = append(list, ask.Belief{OrderID: o.ID, CertificateID: o.CertificateID, State: o.State, LastEventAt: toldAt(o.Timeline)})
		} else if !errors.Is(err, projections.ErrNotFound) {
			return nil, err
		}
	}
	return list, nil
}

// toldAt is when the last event came that may tell of a state. What certtrail asked for itself meanwhile, a certificate say, tells of none.
func toldAt(timeline []projections.TimelineEntry) time.Time {
	for _, entry := range slices.Backward(timeline) {
		if k := schema.KindOf(entry.Type); k != schema.CertificateCollected && k != schema.OrderDescribed {
			return entry.Time.Time
		}
	}
	return time.Time{}
}
