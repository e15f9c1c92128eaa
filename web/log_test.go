package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/api"
)

// vastLog claims to have that many events and holds none: those with the sequences from to until match every filter.
type vastLog struct {
	api.Log
	last, from, until uint64
	reads             int // events that were read, and looks that found none
}

func (l *vastLog) Last(context.Context) (uint64, error) { return l.last, nil }

func (l *vastLog) Events(_ context.Context, after uint64, _ string, limit, _ int) (found []schema.Record, more bool, err error) {
	for seq := max(after+1, l.from); seq <= l.until && len(found) < limit; seq++ {
		found = append(found, schema.Record{Seq: seq, Subject: "certs.order.issued.digicert.1", Time: now, Data: []byte("{}")})
	}
	l.reads += len(found) + 1
	return found, false, nil
}

// TestLogIsLookedThroughWithinBounds asks for the newest events that match in a log of ten million.
func TestLogIsLookedThroughWithinBounds(t *testing.T) {
	const last = 10_000_000
	for name, c := range map[string]struct {
		from, until uint64
		first       uint64 // that the page shows; 0: none
	}{
		"none match":            {last + 1, last, 0},
		"all match":             {1, last, last},
		"only the oldest":       {1, 3, 3},
		"many, but long ago":    {1, 6_000_000, 6_000_000},
		"a few in the middle":   {5_000_000, 5_000_010, 5_000_010},
		"just more than a page": {last - 100, last, last},
	} {
		l := &vastLog{last: last, from: c.from, until: c.until}
		s, _ := empty(t)
		o := options(s, l)
		w := get(handler(t, o), "/events?subject=certs.order.%3E")
		if w.Code != http.StatusOK || l.reads > 10_000 {
			t.Errorf("%s: %d after %d reads", name, w.Code, l.reads)
		}
		row := fmt.Sprintf(`<tr data-row="events//%d">`, c.first)
		if shows := strings.Contains(w.Body.String(), `<tr data-row="events//`); shows != (c.first > 0) || shows && strings.Index(w.Body.String(), row) != strings.Index(w.Body.String(), `<tr data-row=`) {
			t.Errorf("%s: the page does not begin with event %d", name, c.first)
		}
		if c.first == 0 && !strings.Contains(w.Body.String(), "No event matches.") {
			t.Errorf("%s: it does not say so", name)
		}
	}
}

// slowLog never finds anything in time.
type slowLog struct{ vastLog }

func (l *slowLog) Events(ctx context.Context, after uint64, subject string, limit, bytes int) (found []schema.Record, more bool, err error) {
	if after < l.last-1000 {
		<-ctx.Done()
		return nil, false, fmt.Errorf("couldn't read the log: %w", ctx.Err())
	}
	return nil, false, nil
}

// TestLogOffersToLookFurther gives up in time, says how far it came, and offers to go on from there.
func TestLogOffersToLookFurther(t *testing.T) {
	l := &slowLog{vastLog{last: 1_000_000}}
	s, _ := empty(t)
	o := options(s, l)
	began := time.Now()
	w := get(handler(t, o), "/events?subject=certs.order.%3E")
	if took := time.Since(began); w.Code != http.StatusOK || took > 5*time.Second {
		t.Errorf("%d after %s", w.Code, took)
	}
	for _, want := range []string{"No event matches so far.", "back to event 999,", `href="/events?before_seq=999`, "Search further back"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestEventShowsItsDelivery shows headers, query and body of what came, and gives the bytes away as a file that no
// browser looks into.
func TestEventShowsItsDelivery(t *testing.T) {
	bytesOf := []byte("\x00\x01<script>alert(1)</script>\xff")
	e := schema.New("id-1", "/hooks/digicert", ago(time.Hour), schema.DeliveryUnrecognized, schema.Data{Provider: "digicert", Reason: "It is not JSON.", Original: &schema.Original{
		Method: "POST", Query: "a=%3Cb%3E&broken=%zz", Headers: map[string]string{"content-type": "text/<html>"}, BodyBase64: base64.StdEncoding.EncodeToString(bytesOf)}})
	l := projectionstest.NewLog(schema.New("id-0", "/hooks/digicert", ago(2*time.Hour), schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "1", CertificateID: "2"}), e, e)
	var gaps atomic.Value
	gaps.Store(schema.Gaps{})
	s := openStore(t, l, func(o *projections.Options) {
		o.Gaps = func() (gone, accepted schema.Gaps) { return gaps.Load().(schema.Gaps), nil }
	})
	h := handler(t, options(s, l))
	for _, want := range []string{`<a href="/orders/digicert/1">order 1</a>`, `<a href="/certificates/digicert/2">certificate 2</a>`} {
		if page := get(h, "/events/1").Body.String(); !strings.Contains(page, want) {
			t.Errorf("the page of event 1 lacks %q", want)
		}
	}
	if w := get(h, "/events/1/body"); w.Code != http.StatusNotFound {
		t.Errorf("a body that is not there: %d", w.Code)
	}
	l.Lose(1)
	gaps.Store(schema.Gaps{{First: 1, Last: 1}})
	page := get(h, "/events/2").Body.String()
	for _, want := range []string{"POST /hooks/digicert", "&lt;b&gt;", "%zz", "text/&lt;html&gt;", "bytes in hex, 28 bytes", "|..&lt;script&gt;alert(|", `href="/events/2/body" download`, `href="/quarantine?provider=digicert"`, `href="/events/3" rel="next"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, `rel="prev"`) {
		t.Error("it leads to an event that is gone")
	}
	w := get(h, "/events/2/body")
	if !bytes.Equal(w.Body.Bytes(), bytesOf) || w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%q %v", w.Body, w.Header())
	}
}
