package ask

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
)

// Waits of what is asked.
const (
	modelsWait = time.Minute // for them to hold an event, before a question is asked without them
)

// Source is one source whose API is set up.
type Source struct {
	Name    string
	Title   string // for people
	Client  any
	Secrets []string // the credentials that it is asked with
}

// AskerOptions are what an Asker works with.
type AskerOptions struct {
	Sources []Source
	Known   Known
	Changes Changes
	Log     Log
	State   *State
	DNS     *DNS                       // nil: name servers are not asked
	Every   time.Duration              // between two reconciles of a source; 0: only when somebody wants one
	Lost    func(source string) uint64 // how many deliveries the log could not take
	NewID   func() (string, error)     // a UUIDv7
	Now     func() time.Time
	Logger  *slog.Logger
}

// Asker runs certtrail's own questions: provider APIs, parent name servers, expiry notices. Its methods may be called at once from many goroutines.
type Asker struct {
	AskerOptions
	sources   map[string]Source
	followers map[string]*Follower // of the sources that are asked about their events; filled before anything runs
	dns       *delegations         // nil: name servers are not asked

	mu        sync.Mutex
	reconcile map[string]*sync.Mutex // held by the one reconcile of each source at a time
	found     map[string]Found       // by the last reconcile of each source in this process

	describing sync.Mutex // held by the one description of incomplete orders at a time

	clockTrouble string // why the clock tells nothing, a sentence; "" while it does
}

// NewAsker returns an Asker that does nothing by itself until it is started.
func NewAsker(o AskerOptions) *Asker {
	k := &Asker{AskerOptions: o, sources: map[string]Source{}, followers: map[string]*Follower{}, reconcile: map[string]*sync.Mutex{}, found: map[string]Found{}}
	for _, s := range o.Sources {
		k.sources[s.Name], k.reconcile[s.Name] = s, &sync.Mutex{}
	}
	if o.DNS != nil {
		k.dns = &delegations{dns: o.DNS, seen: map[string]delegation{}}
	}
	return k
}

// Open opens the queue of every source that is asked about its events. It comes before the first delivery, which is in the queue then.
func (k *Asker) Open(queue func(name, filter string) (Queue, error)) error {
	for name, s := range k.sources {
		if !Answers(s.Client) {
			continue
		}
		q, err := queue("ask-"+name, "certs.*.*."+name+".>")
		if err != nil {
			return err
		}
		k.followers[name] = &Follower{
			Source: name, Client: s.Client, Secrets: s.Secrets, Queue: q, Log: k.Log, Known: k.known,
			NewID: k.NewID, Now: k.Now, Wait: WaitFor, Logger: k.Logger,
		}
	}
	return nil
}

// Start begins to ask. What it returns ends that, and waits until it has ended.
func (k *Asker) Start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for name := range k.sources {
		if follower := k.followers[name]; follower != nil {
			running.Go(func() { follower.Run(ctx) })
		}
		if k.Every > 0 {
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

// CatchUp waits until the rows hold all that the log holds now.
func (k *Asker) CatchUp(ctx context.Context) error {
	last, err := k.Log.Last(ctx)
	if err != nil {
		return err
	}
	return k.Known.Await(ctx, last)
}

// known tells whether the rows, as of the event seq, have what q asks for: the certificate, an order of which nothing is open, or the new DS record
// of a zone whose name is known too.
func (k *Asker) known(ctx context.Context, q Question, seq uint64) (bool, error) {
	waiting, cancel := context.WithTimeout(ctx, modelsWait)
	defer cancel()
	if err := k.Known.Await(waiting, seq); err != nil {
		return false, err
	}
	if q.What == Collect {
		if q.CertificateID == "" {
			return false, nil // which one it is, only the provider knows
		}
		c, ok, err := k.Known.Row(ctx, Certificates, q.Provider, q.CertificateID, k.Now())
		return ok && c.Collected, err
	}
	if q.What == ListDS {
		r, ok, err := k.Known.Row(ctx, Rotations, q.Provider, q.WebsiteID, k.Now())
		return ok && r.DS != nil && r.Domain != "" && !r.Unreadable, err
	}
	o, ok, err := k.Known.Row(ctx, Orders, q.Provider, q.OrderID, k.Now())
	if err != nil || !ok {
		return false, err
	}
	switch o.State {
	case provider.StandingIssued, provider.StandingRejected, provider.StandingCanceled, provider.StandingRevoked:
		return true, nil
	}
	return false, nil
}

// Status tells how a source is asked.
type Status struct {
	Answered     uint64    // answers that were appended since the start
	Trouble      string    // why the last question has no answer yet, a sentence; "" if it has one
	Found        Found     // by the last reconcile since the start; of one that came to nothing it has the Error
	ReconciledAt time.Time // when the last reconcile that came to something was, maybe before the start; zero if none did
}

// StatusOf returns how the source is asked.
func (k *Asker) StatusOf(source string) (s Status) {
	if follower := k.followers[source]; follower != nil {
		s.Answered, s.Trouble = follower.Answered(), follower.Trouble()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s.Found, s.ReconciledAt = k.found[source], k.State.Reconciled(source)
	return s
}

// ClockTrouble says why the clock tells nothing; "" while it does.
func (k *Asker) ClockTrouble() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clockTrouble
}
