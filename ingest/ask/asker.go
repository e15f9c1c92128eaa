package ask

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
)

// rowsWait bounds how long a question waits for the rows to hold its event, before it is asked without them.
const rowsWait = time.Minute

// Source names a source whose API is set up, and the client that calls it.
type Source struct {
	Name    string
	Title   string // for people
	Client  any
	Secrets []string // the credentials that it is asked with
}

// AskerOptions give an Asker its sources, what it reads, and what it writes.
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

// Asker runs certtrail's own questions: provider APIs, parent name servers, expiry notices. Its methods may be called
// at once from many goroutines.
type Asker struct {
	AskerOptions
	sources   map[string]Source
	followers map[string]*follower // of the sources that are asked about their events; filled before anything runs
	dns       *delegations         // nil: name servers are not asked

	mu         sync.Mutex
	reconciles map[string]*sync.Mutex // by source, each held by its one reconcile at a time
	results    map[string]Found       // of the last reconcile of each source in this process

	describes sync.Mutex // held by the one Describe at a time

	clockTrouble string // why the clock appends no notices, a sentence; "" while it does
}

// NewAsker returns an Asker that does nothing by itself until it is started.
func NewAsker(o AskerOptions) *Asker {
	a := &Asker{
		AskerOptions: o, sources: map[string]Source{}, followers: map[string]*follower{},
		reconciles: map[string]*sync.Mutex{}, results: map[string]Found{},
	}
	for _, s := range o.Sources {
		a.sources[s.Name], a.reconciles[s.Name] = s, &sync.Mutex{}
	}
	if o.DNS != nil {
		a.dns = &delegations{dns: o.DNS, last: map[string]delegation{}}
	}
	return a
}

// Open opens the queue of every source that is asked about its events. It comes before the first delivery, which is in
// the queue then.
func (a *Asker) Open(queue func(name, filter string) (Queue, error)) error {
	for name, s := range a.sources {
		if !Answers(s.Client) {
			continue
		}
		q, err := queue("ask-"+name, "certs.*.*."+name+".>")
		if err != nil {
			return err
		}
		a.followers[name] = &follower{
			source: s, queue: q, log: a.Log, known: a.known, newID: a.NewID, now: a.Now, wait: WaitFor, logger: a.Logger,
		}
	}
	return nil
}

// Start begins to ask. stop ends that, and waits until it has ended.
func (a *Asker) Start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for name := range a.sources {
		if follower := a.followers[name]; follower != nil {
			running.Go(func() { follower.run(ctx) })
		}
		if a.Every > 0 {
			running.Go(func() { a.reconcileOften(ctx, name) })
		}
	}
	running.Go(func() { a.watchClock(ctx) })
	if a.dns != nil {
		running.Go(func() { a.watchDelegations(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// CatchUp waits until the rows hold all that the log holds now.
func (a *Asker) CatchUp(ctx context.Context) error {
	last, err := a.Log.Last(ctx)
	if err != nil {
		return err
	}
	return a.Known.Await(ctx, last)
}

// known tells whether the rows, as of the event seq, have what q asks for: the certificate, an order of which nothing
// is open, or the new DS record of a zone whose name is known too.
func (a *Asker) known(ctx context.Context, q Question, seq uint64) (bool, error) {
	waiting, cancel := context.WithTimeout(ctx, rowsWait)
	defer cancel()
	if err := a.Known.Await(waiting, seq); err != nil {
		return false, err
	}
	if q.What == Collect {
		if q.CertificateID == "" {
			return false, nil // which one it is, only the provider knows
		}
		c, ok, err := a.Known.Row(ctx, Certificates, q.Provider, q.CertificateID, a.Now())
		return ok && c.Collected, err
	}
	if q.What == ListDS {
		r, ok, err := a.Known.Row(ctx, Rotations, q.Provider, q.WebsiteID, a.Now())
		return ok && r.DS != nil && r.Domain != "" && !r.Unreadable, err
	}
	o, ok, err := a.Known.Row(ctx, Orders, q.Provider, q.OrderID, a.Now())
	if err != nil || !ok {
		return false, err
	}
	switch o.State {
	case provider.StandingIssued, provider.StandingRejected, provider.StandingCanceled, provider.StandingRevoked:
		return true, nil
	}
	return false, nil
}

// Status reports how a source is asked.
type Status struct {
	Answered     uint64    // answers that were appended since the start
	Trouble      string    // why the last question has no answer yet, a sentence; "" if it has one
	Found        Found     // by the last reconcile since the start; of one that came to nothing it has the Error
	ReconciledAt time.Time // when the last reconcile that came to something was, maybe before the start; zero if none did
}

// StatusOf returns how the source is asked.
func (a *Asker) StatusOf(source string) (s Status) {
	if follower := a.followers[source]; follower != nil {
		s.Trouble, s.Answered = follower.status()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Found, s.ReconciledAt = a.results[source], a.State.Reconciled(source)
	return s
}

// ClockTrouble says why the clock appends no notices; "" while it does.
func (a *Asker) ClockTrouble() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clockTrouble
}
