package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/streams/transfer"
)

// importEvents appends the events of the request's body.
func (o *owner) importEvents(ctx context.Context, a *answer, r *http.Request) (any, error) {
	if !o.importing.TryLock() {
		return nil, errors.New("another import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	i := &transfer.Import{
		Log: o.log, Name: r.URL.Query().Get("name"),
		Interrupt: func() { a.control.SetReadDeadline(time.Now()) }, Progress: func(n transfer.Imported) { a.progress(n) },
	}
	return i.Run(ctx, r.Body, time.Now())
}
