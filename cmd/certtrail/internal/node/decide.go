package node

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// A decision is answered once the read models show it, or after decisionWait: it is durable by then, and shows as soon
// as they have caught up.
const decisionWait = 2 * time.Second

// decide appends what a person decided about a matter. Their name, if they gave one, is sealed under a key of theirs.
func (o *Node) decide(ctx context.Context, d web.Decision) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	e := schema.NewDecision(id.String(), schema.At(time.Now()), d.Kind, d.Provider, d.Row, d.Matter)
	if d.By != "" {
		if err := people.SealDecider(o.keys, e.ID, d.By, &e.Data); err != nil {
			return err
		}
	}
	seq, err := o.log.Append(ctx, e)
	if err != nil {
		return fmt.Errorf("the decision was not kept: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, decisionWait)
	defer cancel()
	_ = o.Store.Await(ctx, seq)
	return nil
}
