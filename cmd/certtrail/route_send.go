package main

import (
	"context"
	"net/http"
)

// send is the route that sends a sample to the server's own endpoints.
func (o *owner) send(ctx context.Context, _ *answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	return sendSample(ctx, o.c.sources, o.c.file, o.endpoints, q.Get("source"), q.Get("event"), q["set"])
}
