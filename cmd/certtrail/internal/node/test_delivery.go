package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// testResults holds the result of the last test of each source. Its methods may be called at once from many goroutines.
type testResults struct {
	running sync.Mutex // held by the one test at a time, so that the event it finds in the log is its own

	mu   sync.Mutex
	last map[string]web.Tested
}

func (t *testResults) of(source string) *web.Tested {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.last[source]; ok {
		return &r
	}
	return nil
}

func (t *testResults) keep(source string, r web.Tested) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[string]web.Tested{}
	}
	t.last[source] = r
}

// testSource sends a test delivery to every endpoint of the source, as its provider would: over HTTP, and with its
// credentials. What came of it is told with the source from then on.
func (sv *Server) testSource(ctx context.Context, name string) error {
	i := slices.IndexFunc(sv.sources, func(s *ingest.Source) bool { return s.Name == name })
	if i < 0 || sv.sources[i].Provider == nil {
		return fmt.Errorf("there is no source %q that is on", name)
	}
	sv.tests.running.Lock()
	defer sv.tests.running.Unlock()
	result := web.Tested{At: schema.At(time.Now())}
	for _, feed := range sv.sources[i].Provider.Feeds() {
		result.Endpoints = append(result.Endpoints, sv.testEndpoint(ctx, sv.sources[i], feed))
	}
	sv.tests.keep(name, result)
	return nil
}

func (sv *Server) testEndpoint(ctx context.Context, s *ingest.Source, feed provider.Feed) web.TestedEndpoint {
	t := web.TestedEndpoint{Path: ingest.Path(s.Name, feed, "{token}")}
	before, err := sv.log.Last(ctx)
	if err != nil {
		t.Trouble = text.Sentence(err)
		return t
	}
	began := time.Now()
	status, body, err := sample.Deliver(ctx, sv.endpoints, s.Name, s.Provider, ingest.TestDelivery(feed))
	t.Took, t.Status = time.Since(began), status
	switch {
	case err != nil:
		t.Trouble = text.Sentence(err)
	case status != http.StatusOK:
		t.Trouble = detailOf(body)
	default:
		t.Seq, err = sv.testEvent(ctx, s.Name, before)
		if err != nil {
			t.Trouble = text.Sentence(err)
		}
	}
	return t
}

// testEvent returns the sequence of the event that a test of the source made after the one at `after`.
func (sv *Server) testEvent(ctx context.Context, source string, after uint64) (uint64, error) {
	const few, bytes = 20, 1 << 20 // a provider may send tests of its own at the same time
	records, _, err := sv.log.Events(ctx, after, schema.SubjectFor(schema.AccountTestReceived, source, ""), few, bytes)
	if err != nil {
		return 0, err
	}
	for _, rec := range records {
		if e, err := schema.Decode(rec.Data); err == nil && e.Data.Event == schema.OwnTest {
			return rec.Seq, nil
		}
	}
	return 0, errors.New("the endpoint took the test, yet the log has no event of it: look at what the server logged")
}

// detailOf reads from its problem document why an endpoint refused.
func detailOf(body []byte) string {
	var problem struct{ Detail string }
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		return problem.Detail
	}
	return strings.TrimSpace(string(body))
}
