package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// filesRead is how far a reading of the log's files is.
type filesRead struct {
	Done  int `json:"files_read"`
	Total int `json:"files"`
}

// checkLog is GET /log/check.
func (o *owner) checkLog(ctx context.Context, a *answer, _ *http.Request) (any, error) {
	return o.log.Check(ctx, func(done, total int) { a.progress(filesRead{done, total}) }) // who hears nothing any more changes nothing
}

// repairLog is POST /log/repair.
func (o *owner) repairLog(ctx context.Context, _ *answer, _ *http.Request) (any, error) {
	return o.log.Repair(ctx)
}

type acceptedGap struct {
	Seq uint64 `json:"seq"`
}

// acceptGap is POST /log/accept-gap.
func (o *owner) acceptGap(ctx context.Context, a *answer, r *http.Request) (any, error) {
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
		return acceptedGap{seq}, nil
	}
	if err := store.AcceptLosses(ctx, func(p projections.Progress) { a.progress(p) }); err != nil { // who hears nothing any more changes nothing
		return nil, fmt.Errorf("event %d accepts the gap, but the read models still show what is gone; certtrail replay builds them anew: %w", seq, err)
	}
	return acceptedGap{seq}, nil
}
