package node

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
)

// reconcile answers POST /reconcile.
func (o *Node) reconcile(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	name := q.Get("source")
	return o.withModels(ctx, func(k *ask.Asker) (any, error) {
		if a := o.apis[name]; a != nil && q.Get("describe") != "" {
			if _, lists := a.Client.(ask.Lister); !lists && ask.Answers(a.Client) {
				return ask.Found{Source: name, Listless: true}, nil
			}
		}
		s, err := settings.SourceNamed(o.Config.Sources, name)
		if err != nil {
			return nil, err
		}
		if o.apis[name] == nil {
			return nil, s.NoAPI()
		}
		return k.Reconcile(ctx, name)
	})
}

// describe answers POST /describe.
func (o *Node) describe(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	return o.withModels(ctx, func(k *ask.Asker) (any, error) {
		name := r.URL.Query().Get("source")
		if o.apis[name] == nil {
			return nil, fmt.Errorf("the source %s has no API that is set up", name)
		}
		return k.Describe(ctx, name, func(d ask.Described) error { return a.Progress(d) })
	})
}

// withModels does the work with read models that follow the log.
func (o *Node) withModels(ctx context.Context, do func(k *ask.Asker) (any, error)) (any, error) {
	k, err := o.asker()
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
