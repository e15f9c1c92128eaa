package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
	"github.com/certtrail/certtrail/ingest/provider"
)

// openPages counts the pages that BenchmarkLive keeps open.
const openPages = 200

// openPage keeps one page of a browser up to date as live.js does it: fetched at once when something it shows changed,
// four times a second at most.
type openPage struct {
	base, path string
	client     *http.Client
	seq        uint64
	last       time.Time
	changed    func(seq uint64, at time.Time)
}

var dataSeq = regexp.MustCompile(`data-seq="(\d+)"`)

// fetch takes over the page.
func (p *openPage) fetch(ctx context.Context, heard uint64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+p.path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Certtrail-Heard", strconv.FormatUint(heard, 10))
	p.last = time.Now()
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	m := dataSeq.FindSubmatch(body)
	if m == nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, not a page", p.path, answer.Status)
	}
	p.seq, err = strconv.ParseUint(string(m[1]), 10, 64)
	return err
}

// follow keeps the page up to date until ctx ends; ready is called once it listens.
func (p *openPage) follow(ctx context.Context, ready func()) error {
	if err := p.fetch(ctx, 0); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/v1/live?at_most=1000&last_event_id=%d", p.base, p.seq), nil)
	if err != nil {
		return err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	ready()
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		var heard struct{ Seq uint64 }
		if err := json.Unmarshal(data, &heard); err != nil {
			return err
		}
		if heard.Seq <= p.seq {
			continue
		}
		<-time.After(time.Until(p.last.Add(250 * time.Millisecond)))
		if err := p.fetch(ctx, heard.Seq); err != nil {
			return err
		}
		p.changed(p.seq, time.Now())
	}
}

// BenchmarkLive keeps 200 pages open, which all show what each delivery changes, and reports how long after a delivery
// was sent they have changed: the median at most 50 ms, 99 of 100 at most 250 ms.
func BenchmarkLive(b *testing.B) {
	sv := inProcess(b)
	ctx, cancel := context.WithCancel(b.Context())
	var pages sync.WaitGroup
	defer pages.Wait()
	defer cancel()
	known, _ := systems.Of("digicert")
	system := known.New(func(string) string { return testKey })
	send := func(event string) {
		body := fmt.Sprintf(`{"event":%q,"data":{"order_id":7,"certificate_id":8}}`, event)
		d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
		if status, answer, err := sample.Deliver(ctx, sv.Config.HooksURL, "digicert", system, d); err != nil || status != http.StatusOK {
			b.Fatalf("%d %s %v", status, answer, err)
		}
	}
	for order := range 150 {
		if _, _, err := sample.Deliver(ctx, sv.Config.HooksURL, "digicert", system, issuedDelivery(1000+order)); err != nil {
			b.Fatal(err)
		}
	}
	send("certificate_issued")
	(&world{web: sv.Config.WebURL}).caughtUp(b)

	type change struct {
		page int
		seq  uint64
		at   time.Time
	}
	changes := make(chan change, openPages)
	var ready sync.WaitGroup
	ready.Add(openPages)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * openPages}}
	defer client.CloseIdleConnections()
	for n := range openPages {
		p := &openPage{base: sv.Config.WebURL, path: []string{"/orders", "/orders?state=issued", "/", "/orders/digicert/7"}[n%4], client: client,
			changed: func(seq uint64, at time.Time) { changes <- change{n, seq, at} }}
		pages.Go(func() {
			if err := p.follow(ctx, ready.Done); ctx.Err() == nil {
				b.Errorf("page %d: %v", n, err)
			}
		})
	}
	ready.Wait()

	var took []time.Duration
	var last uint64 = 151
	pace := time.NewTicker(400 * time.Millisecond)
	defer pace.Stop()
	for b.Loop() {
		<-pace.C
		sent := time.Now()
		send("certificate_issued")
		last++
		for seen := map[int]bool{}; len(seen) < openPages; {
			c := <-changes
			if c.seq >= last && !seen[c.page] {
				seen[c.page] = true
				took = append(took, c.at.Sub(sent))
			}
		}
	}
	slices.Sort(took)
	for name, share := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
		b.ReportMetric(float64(took[len(took)*share/100].Microseconds())/1000, name)
	}
}
