package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

// TestWhatGivesWaySaysSo: a building of read models that is ended for another one does not say that the process stops.
func TestWhatGivesWaySaysSo(t *testing.T) {
	o := newNode(&settings.Config{}, discard)
	work := o.during(func(context.Context, *owner.Answer, *http.Request) (any, error) {
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
