package node

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

var systems = settings.Systems{digicert.System, sectigo.System, xolphin.System, defguard.System, probely.System}

var discard = slog.New(slog.DiscardHandler)

// patience bounds every wait on a condition.
const patience = 20 * time.Second

func fetch(target string) (int, []byte, error) {
	resp, err := http.Get(target)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// fataler fails a test, or a property's.
type fataler interface{ Fatalf(string, ...any) }
