package node

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// Waits of what is asked.
const (
	modelsWait = time.Minute // for them to hold an event, before a question is asked without them
)

// asking runs certtrail's own questions: provider APIs, name servers, and the clock's notices. Its methods may be
// called at once from many goroutines.
type asking struct {
	o      *Node
	apis   map[string]*api
	askers map[string]*ask.Asker // of the sources that are asked about their events; filled before anything runs
	dns    *delegations          // nil: name servers are not asked
	state  *ask.State
	tokens tokens
	now    func() time.Time
	logger *slog.Logger

	mu        sync.Mutex
	reconcile map[string]*sync.Mutex // held by the one reconcile of each source at a time
	found     map[string]Found       // by the last reconcile of each source in this process

	describing sync.Mutex // held by the one description of bare orders at a time

	clockTrouble string // why the clock tells nothing, a sentence; "" while it does
}

// asks returns the owner's asking, creating it on first use.
func (o *Node) asks() (*asking, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asking != nil {
		return o.asking, nil
	}
	apis, err := apisOf(o.Config)
	if err != nil {
		return nil, err
	}
	state := ask.ReadState(o.Config.DataDir, o.logger)
	k := &asking{
		o: o, apis: apis, askers: map[string]*ask.Asker{}, state: state, now: time.Now, logger: o.logger,
		reconcile: map[string]*sync.Mutex{}, found: map[string]Found{},
	}
	for name := range apis {
		k.reconcile[name] = &sync.Mutex{}
	}
	if k.dns, err = newDelegations(o.Config.Resolver, o.logger); err != nil {
		return nil, err
	}
	o.asking = k
	return k, nil
}

// open opens the queue of every source that is asked about its events. It comes before the first delivery, which is in the queue then.
func (k *asking) open(ctx context.Context) error {
	for name, a := range k.apis {
		if !ask.Answers(a.Client) {
			continue
		}
		queue, err := k.o.log.Queue(ctx, "ask-"+name, "certs.*.*."+name+".>")
		if err != nil {
			return err
		}
		k.askers[name] = &ask.Asker{
			Source: name, Client: a.Client, Secrets: a.secrets, Queue: queue, Log: k.o.log, Known: k.known,
			NewID: newID, Now: k.now, Wait: ask.WaitFor, Logger: k.logger,
		}
	}
	return nil
}

// start begins to ask. What it returns ends that, and waits until it has ended.
func (k *asking) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for name := range k.apis {
		if asker := k.askers[name]; asker != nil {
			running.Go(func() { asker.Run(ctx) })
		}
		if k.o.Config.Reconcile > 0 {
			running.Go(func() { k.reconcileOften(ctx, name) })
		}
	}
	running.Go(func() { k.watchClock(ctx) })
	if k.dns != nil {
		running.Go(func() { k.watchDelegations(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// modelsAt waits until the read models that are in use hold the event seq.
func (k *asking) modelsAt(ctx context.Context, seq uint64) error {
	if err := k.o.Store.Await(ctx, seq); err != nil {
		return errors.Join(errors.New("the read models are not there yet: look at their state with certtrail's page /system"), err)
	}
	return nil
}

// modelsNow waits until the read models hold all that the log holds now.
func (k *asking) modelsNow(ctx context.Context) error {
	last, err := k.o.log.Last(ctx)
	if err != nil {
		return err
	}
	return k.modelsAt(ctx, last)
}

// known tells whether the read models, as of the event seq, have what q asks for: the certificate, an order of which nothing is open, or the new DS record
// of a zone whose name is known too.
func (k *asking) known(ctx context.Context, q ask.Question, seq uint64) (bool, error) {
	waiting, cancel := context.WithTimeout(ctx, modelsWait)
	defer cancel()
	if err := k.modelsAt(waiting, seq); err != nil {
		return false, err
	}
	if q.What == ask.Collect {
		if q.CertificateID == "" {
			return false, nil // which one it is, only the provider knows
		}
		c, err := projections.One(ctx, k.o.Store, projections.Certificates, q.Provider, q.CertificateID, k.row())
		return err == nil && c.FingerprintSHA256 != "", ignoreMissing(err)
	}
	if q.What == ask.ListDS {
		r, err := projections.One(ctx, k.o.Store, projections.DNSSECs, q.Provider, q.WebsiteID, k.row())
		return err == nil && r.DS != nil && r.Domain != "" && r.Unreadable == "", ignoreMissing(err)
	}
	o, err := projections.One(ctx, k.o.Store, projections.Orders, q.Provider, q.OrderID, k.row())
	if err != nil {
		return false, ignoreMissing(err)
	}
	switch o.State {
	case provider.StandingIssued, provider.StandingRejected, provider.StandingCanceled, provider.StandingRevoked:
		return true, nil
	}
	return false, nil
}

// row returns the present moment, for reading a row alone.
func (k *asking) row() projections.Moment { return projections.Moment{Now: k.now(), RowOnly: true} }

func ignoreMissing(err error) error {
	if errors.Is(err, projections.ErrNotFound) {
		return nil
	}
	return err
}

// asked reports a source's API, for its page; nil if the source has none.
func (k *asking) asked(s settings.Source) *web.Asked {
	if s.System.API == nil {
		return nil
	}
	client := s.System.API.Client(nil) // which calls nobody
	if _, lists := client.(ask.Lister); !lists && !ask.Answers(client) {
		return nil // there is no question for it yet
	}
	_, collects := client.(ask.Collector)
	a := k.apis[s.Name]
	if a == nil {
		return &web.Asked{HowtoEnable: s.APISettings(), Collects: collects}
	}
	breaker := a.caller.Breaker()
	v := &web.Asked{Collects: collects, Circuit: breaker.State, Until: schema.At(breaker.RetryAt), Trouble: breaker.LastError}
	if breaker.RetryAt.IsZero() {
		v.Until = schema.Time{}
	}
	if asker := k.askers[s.Name]; asker != nil {
		v.Answered = asker.Answered()
		if v.Trouble == "" {
			v.Trouble = asker.Trouble()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if f, ok := k.found[s.Name]; ok {
		v.Unreconciled = f.Error
		if !f.At.IsZero() {
			v.ReconciledAt, v.Reconciled = schema.At(f.At), f.sentence()
			if !f.First {
				v.Missed = f.missed()
			}
			if f.Bare > 0 {
				v.Reconciled += ". " + strings.TrimSuffix(f.bareness(), ".")
			}
		}
	} else if at := k.state.Reconciled(s.Name); !at.IsZero() {
		v.ReconciledAt, v.Reconciled = schema.At(at), "before this start"
	}
	return v
}

// tokensOf returns the source's challenges that a person may have to answer, for the page.
func (k *asking) tokensOf(source string) []web.Token {
	var list []web.Token
	for _, t := range k.tokens.of(source, k.now()) {
		list = append(list, web.Token{Webhook: t.Webhook, Token: t.Token, Until: schema.At(t.Until), Trouble: t.Trouble})
	}
	return list
}

// clockWord says why the clock appends no notices; "" while it does.
func (k *asking) clockWord() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clockTrouble
}
