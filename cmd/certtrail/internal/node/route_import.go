package node

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/streams/transfer"
)

// importEvents appends the events of the request's body.
func (o *Node) importEvents(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	if !o.importing.TryLock() {
		return nil, errors.New("another import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	i := &transfer.Import{
		Log: o.log, Name: r.URL.Query().Get("name"),
		Interrupt: a.Interrupt, Progress: func(n transfer.Imported) { a.Progress(n) },
	}
	return i.Run(ctx, r.Body, time.Now())
}
