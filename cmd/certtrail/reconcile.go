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
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

const (
	reconcileBack    = 365 * 24 * time.Hour // how far the first reconcile of a source looks back, and any other at most
	reconcileOverlap = time.Hour            // asked for again, for clocks that differ
	lostEvery        = time.Minute          // how often it is looked whether deliveries were lost, after which a reconcile is due
)

func reconcileCommand() *cobra.Command {
	var describe bool
	cmd := &cobra.Command{
		Use:   "reconcile PROVIDER",
		Short: "Ask a provider's API what certtrail was not told, and append it",
		Long: "Ask a provider's API where its orders stand, and append the events whose deliveries were missed. The first reconcile of a provider brings in what exists there\n" +
			"already, as an import would: nothing outside acts on it. Where the provider lists orders by their number only, --describe then asks about each of them, at\n" +
			"the pace that the provider allows; that too counts as imported. It can be broken off, and goes on when it is run again.",
		Args: wants(1, "a provider, for example: certtrail reconcile digicert"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := reachOwner(cmd, true)
			if err != nil {
				return err
			}
			defer c.close()
			var f found
			query := url.Values{"source": args}
			if describe {
				query.Set("describe", "true")
			}
			if err := c.call(cmd.Context(), http.MethodPost, "/reconcile", query, nil, nil, &f); err != nil {
				return err
			}
			f.tell(cmd.OutOrStdout())
			if !describe {
				return nil
			}
			var d described
			far := newCounter(cmd.ErrOrStderr())
			err = c.call(cmd.Context(), http.MethodPost, "/describe", url.Values{"source": args}, nil, func(line []byte) error {
				if progressOf(line, &d) {
					far.show("asked about %s", d)
				}
				return nil
			}, &d)
			far.clear()
			if err != nil {
				return err
			}
			d.tell(cmd.OutOrStdout(), args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&describe, "describe", false, "then ask about each order of which little more than the number is known")
	addOwnerSettings(cmd)
	return cmd
}

// found is what a reconcile found.
type found struct {
	Source   string         `json:"source"`
	At       time.Time      `json:"at"`
	First    bool           `json:"first"`
	Missed   map[string]int `json:"missed"` // events, by kind
	Counts   ask.Counts     `json:"counts"`
	Bare     int            `json:"bare"`               // orders of which little more than the number is known
	Listless bool           `json:"listless,omitempty"` // the provider's API lists nothing that could have been missed, and only single things are asked of it
	Error    string         `json:"error,omitempty"`    // why it came to nothing, a sentence
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

// bareness is how many orders are known by little more than their number, and what to do.
func (f *found) bareness() string {
	return fmt.Sprintf("Of %s little more than the number is known; certtrail reconcile %s --describe asks about each.", words.Count(f.Bare, "order"), f.Source)
}

func (f *found) tell(w io.Writer) {
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

// reconcile is POST /reconcile.
func (o *owner) reconcile(ctx context.Context, _ *answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	return o.withModels(ctx, func(k *asking) (any, error) {
		if a := k.apis[q.Get("source")]; a != nil && q.Get("describe") != "" {
			if _, lists := a.client.(ask.Lister); !lists && ask.Answers(a.client) {
				return found{Source: q.Get("source"), Listless: true}, nil
			}
		}
		return k.reconcileOne(ctx, q.Get("source"))
	})
}

// describe is POST /describe.
func (o *owner) describe(ctx context.Context, a *answer, r *http.Request) (any, error) {
	return o.withModels(ctx, func(k *asking) (any, error) {
		name := r.URL.Query().Get("source")
		if k.apis[name] == nil {
			return nil, fmt.Errorf("the source %s has no API that is set up", name)
		}
		return k.describe(ctx, name, func(d described) error { return a.progress(d) })
	})
}

// withModels is do with read models that follow the log.
func (o *owner) withModels(ctx context.Context, do func(k *asking) (any, error)) (any, error) {
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
	_, ok := k.apis[name].client.(ask.Lister)
	if !ok {
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
	s, err := sourceNamed(k.o.c.sources, name)
	if err != nil {
		return found{}, err
	}
	a := k.apis[name]
	if a == nil {
		return found{}, s.noAPI()
	}
	lister, ok := a.client.(ask.Lister)
	if !ok {
		return found{}, fmt.Errorf("%s has no API that tells what certtrail missed", s.title())
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
	if err := errors.Join(k.state.setReconciled(name, asked), k.modelsNow(ctx)); err != nil {
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
