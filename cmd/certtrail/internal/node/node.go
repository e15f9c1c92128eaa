package node

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/gate"
)

// Who holds the data directory's lock is its owner and serves control.sock in it: a running server, or a command for as
// long as it works. A command that finds the directory in use speaks to the owner, so each operation is written once,
// as a route of the owner's.
//
// Every route answers lines of JSON: what it has to say, {"progress":…} in between, and at the end {"done":…} or
// {"error":"a sentence"}. An answer without such an end broke off. To add one, write a method of the type work and name
// it in routes; commands ask it with control.call.

// Node runs as the process that has the data directory.
type Node struct {
	Config    *settings.Config
	logger    *slog.Logger
	log       *embedded.Log
	keys      *people.Store // of the people in the log
	endpoints string        // where this machine reaches the providers' endpoints; "" for a command, which serves none

	replace func(ctx context.Context, prepared string) error // exchanges the log for a prepared one, and opens it; nil for a command

	loop   *ask.Asker                 // use asker; under mu
	apis   map[string]*api            // by source; there once loop is
	tokens tokens                     // of challenges
	lost   func(source string) uint64 // how many deliveries the log could not take; nil for a command, which takes none

	waiting requests // that the pages have not answered yet

	reading     func(done, total int) // told how far the log has been read; nil for a command
	subscribers int                   // connections that the listener for them may have

	importing sync.Mutex // held by the one import at a time: two would not know each other's events

	mu      sync.Mutex
	Store   *projections.Store // use readModels
	closing bool
	ending  context.Context // ends with the owner
	end     context.CancelFunc
	working sync.WaitGroup // requests that use what close closes
}

func newNode(c *settings.Config, logger *slog.Logger) *Node {
	o := &Node{Config: c, logger: logger}
	o.ending, o.end = context.WithCancel(context.Background())
	return o
}

func (o *Node) routes() map[string]owner.Work {
	return map[string]owner.Work{
		"GET /owner":      o.about,
		"GET /events":     o.events,
		"POST /import":    o.importEvents,
		"POST /send":      o.send,
		"GET /settings":   o.settings,
		"GET /snapshot":   o.snapshot,
		"GET /summary":    o.summary,
		"POST /reconcile": o.reconcile,
		"POST /describe":  o.describe,
		"POST /replay":    o.replay,
		"POST /verify":    o.verify,
		"POST /forget":    o.forget,

		"GET /log/check":       o.checkLog,
		"POST /log/repair":     o.repairLog,
		"POST /log/accept-gap": o.acceptGap,
	}
}

func (o *Node) about(context.Context, *owner.Answer, *http.Request) (any, error) {
	return owner.About{Process: os.Getpid(), Serving: o.endpoints != "", Endpoints: o.endpoints}, nil
}

// open makes this process the owner of the data directory, whose lock it must hold, for a command. It closes everything
// with close.
func open(ctx context.Context, c *settings.Config, logger *slog.Logger) (*Node, error) {
	o := newNode(c, logger)
	return o, o.openLog(ctx, "")
}

func (o *Node) openLog(ctx context.Context, listen string) (err error) {
	if o.keys, err = people.Open(filepath.Join(o.Config.DataDir, "keys")); err != nil {
		return err
	}
	for _, err := range o.keys.Damaged() {
		o.logger.Error(err.Error())
	}
	o.log, err = embedded.Open(ctx, embedded.Options{
		Dir: LogDir(o.Config.DataDir), Listen: listen, Access: gate.Access{Subscriber: o.Config.Subscriber, Operator: o.Config.Operator}, MaxBytes: o.Config.MaxBytes, Always: o.Config.SyncAlways, Logger: o.logger, Progress: o.reading,
		MaxConns: o.subscribers,
	})
	return err
}

func LogDir(dataDir string) string { return filepath.Join(dataDir, "nats") }

// readModels returns the projections of the log. A command that needs them opens them; nobody folds into them then.
func (o *Node) readModels() (_ *projections.Store, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.Store == nil {
		dir := filepath.Join(o.Config.DataDir, "projections")
		sortBeside(dir)
		o.Store, err = projections.Open(projections.Options{
			Dir: dir, Log: o.log.Reader("projections"), Aside: o.log,
			Decode: ingest.NewRedecoder(o.Config.Systems, o.Config.Kinds()).WithKeys(o.keys).Redecode, Open: func(e *schema.Event) { people.OpenPerson(o.keys, e) },
			Gaps: o.gaps, Losses: o.log.Losses, Unsettled: o.unsettled, Logger: o.logger, Busy: o.waiting.any, Building: TuneBuilding, Free: o.free,
		})
	}
	return o.Store, err
}

// gaps returns what is gone from the log, and what of it an operator has accepted.
func (o *Node) gaps() (gone, accepted schema.Gaps) { return o.log.Gaps(), o.log.Accepted() }

// unsettled tells whether the log lost events that no operator has accepted.
func (o *Node) unsettled() bool { return len(o.log.Losses()) > 0 }

// free returns how many bytes the disk of the data directory has left.
func (o *Node) free() (int64, error) {
	room, err := o.log.Room(o.ending)
	return room.Free, err
}

// close ends the requests under way and closes what is open. Whoever else follows the log must have stopped.
func (o *Node) close() {
	o.mu.Lock()
	o.closing = true
	o.mu.Unlock()
	o.end()
	o.working.Wait()
	if o.Store != nil {
		o.Store.Close()
	}
	if o.log != nil {
		o.log.Close()
	}
}

// begin lets a request use the owner until done is called; false when it is closing.
func (o *Node) begin() (done func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return nil, false
	}
	o.working.Add(1)
	return o.working.Done, true
}

// background runs do beside what the owner does, unless it is closing; close waits for it.
func (o *Node) background(do func(ctx context.Context)) {
	done, ok := o.begin()
	if !ok {
		return
	}
	go func() {
		defer done()
		do(o.ending)
	}()
}

// handler serves the owner's routes.
func (o *Node) handler() http.Handler {
	routes := o.routes()
	for pattern, do := range routes {
		routes[pattern] = o.during(do)
	}
	// It has the owner closed, and answers when the next one is there: so nobody waits for it, and it looks after the
	// log's life by itself.
	routes["POST /restore"] = o.restore
	return owner.Handler(routes)
}

// during does the work while the owner lives.
func (o *Node) during(do owner.Work) owner.Work {
	return func(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
		leave, ok := o.begin()
		if !ok {
			return nil, context.Canceled
		}
		defer leave()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(o.ending, cancel)()
		done, err := do(ctx, a, r)
		if errors.Is(err, context.Canceled) && ctx.Err() == nil && o.ending.Err() == nil {
			err = errGaveWay
		}
		return done, err
	}
}

// errGaveWay says why the building of read models ended though neither its owner nor who asked for it did.
var errGaveWay = errors.New("it gave way to a rebuild that cannot wait, because somebody was forgotten or the read models were damaged: run it again")
