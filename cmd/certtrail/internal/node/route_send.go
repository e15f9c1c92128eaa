package node

import (
	"context"
	"net/http"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
)

// send answers the route that sends a sample to the server's own endpoints.
func (o *Node) send(ctx context.Context, _ *owner.Answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	return sample.Send(ctx, o.Config.Sources, o.Config.File, o.endpoints, q.Get("source"), q.Get("event"), q["set"])
}
