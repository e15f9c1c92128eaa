package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
)

// TestWhatGivesWaySaysSo: a building of read models that is ended for another one does not say that the process stops.
func TestWhatGivesWaySaysSo(t *testing.T) {
	o := newOwner(&config{}, discard)
	work := o.during(func(context.Context, *answer, *http.Request) (any, error) {
		return nil, fmt.Errorf("couldn't build: %w", context.Canceled)
	})
	if _, err := work(t.Context(), nil, nil); !errors.Is(err, errGaveWay) {
		t.Errorf("it says: %v", err)
	}
	o.end()
	if _, err := work(t.Context(), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when the process stops it says: %v", err)
	}
}
