package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/projections"
)

// forget answers POST /forget: it forgets the person of that name at that source. Once their key is destroyed it goes
// on, also when nobody waits for it any more.
func (o *Node) forget(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	query := r.URL.Query()
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	forgotten := o.keys.Forget(query.Get("source"), query.Get("name"))
	round, pending := o.keys.Pending()
	if forgotten != nil && !(errors.Is(forgotten, people.ErrUnknown) && pending) { // of a crash, read models may still show them
		return nil, forgotten
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(o.ending, cancel)()
	seq, err := store.Forget(ctx, func(p projections.Progress) {
		a.Progress(p) // who hears nothing any more changes nothing
	})
	if err != nil {
		return nil, fmt.Errorf("the user's key is destroyed, but the read models still show them until the next start: %w", err)
	}
	return Built{Seq: seq}, errors.Join(forgotten, o.keys.Settled(round))
}

// settle ends what a crash left of a forget: read models that still show somebody whose key is destroyed.
func (o *Node) settle(ctx context.Context) {
	round, pending := o.keys.Pending()
	if !pending {
		return
	}
	_, err := o.Store.Forget(ctx, nil)
	if err == nil {
		err = o.keys.Settled(round)
	}
	if err != nil && ctx.Err() == nil {
		o.logger.Error("the read models may still show somebody who was forgotten; certtrail replay rebuilds them", "error", err)
	}
}
