package node

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// FilesRead says how far a reading of the log's files is.
type FilesRead struct {
	Done  int `json:"files_read"`
	Total int `json:"files"`
}

// checkLog answers GET /log/check.
func (o *Node) checkLog(ctx context.Context, a *owner.Answer, _ *http.Request) (any, error) {
	return o.log.Check(ctx, func(done, total int) { a.Progress(FilesRead{done, total}) }) // who hears nothing any more changes nothing
}

// repairLog answers POST /log/repair.
func (o *Node) repairLog(ctx context.Context, _ *owner.Answer, _ *http.Request) (any, error) {
	return o.log.Repair(ctx)
}

type AcceptedGap struct {
	Seq uint64 `json:"seq"`
}

// acceptGap answers POST /log/accept-gap.
func (o *Node) acceptGap(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	gap, err := schema.ParseGap(r.URL.Query().Get("gap"))
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	seq, err := o.log.AcceptGap(ctx, schema.NewGapAccepted(id.String(), schema.At(time.Now()), gap))
	if err != nil {
		return nil, err
	}
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	if o.unsettled() {
		return AcceptedGap{seq}, nil
	}
	if err := store.AcceptLosses(ctx, func(p projections.Progress) { a.Progress(p) }); err != nil { // who hears nothing any more changes nothing
		return nil, fmt.Errorf("event %d accepts the gap, but the read models still show what is gone; certtrail replay rebuilds them: %w", seq, err)
	}
	return AcceptedGap{seq}, nil
}
