package node

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// A decision is answered once the read models show it, or after decisionWait: it is durable by then, and shows as soon as they have caught up.
const (
	decisionWait = 2 * time.Second
	decisionLook = 2 * time.Millisecond
)

// decide appends what a person decided about a matter. Their name, if they gave one, is sealed under a key of theirs.
func (o *Node) decide(ctx context.Context, d web.Decision) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	e := schema.NewDecision(id.String(), schema.At(time.Now()), d.Kind, d.Provider, d.Row, d.Matter)
	if d.By != "" {
		if err := schema.SealDecider(o.keys, e.ID, d.By, &e.Data); err != nil {
			return err
		}
	}
	seq, err := o.log.Append(ctx, e)
	if err != nil {
		return fmt.Errorf("the decision was not kept: %w", err)
	}
	o.shown(ctx, seq)
	return nil
}

// shown waits until the read models hold the event at seq, but not for long.
func (o *Node) shown(ctx context.Context, seq uint64) {
	ctx, cancel := context.WithTimeout(ctx, decisionWait)
	defer cancel()
	tick := time.NewTicker(decisionLook)
	defer tick.Stop()
	for {
		status, _, err := o.Store.Status(ctx)
		if err != nil || status[0].Seq >= seq {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
