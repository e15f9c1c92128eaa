package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/projections"
)

// inProcess runs a whole server inside the test's process.
func inProcess(b *testing.B) *node.Server {
	b.Helper()
	return inProcessOn(b, b.TempDir())
}

// inProcessOn runs a whole server inside the test's process, on a data directory.
func inProcessOn(b *testing.B, dir string) *node.Server {
	b.Helper()
	s := settingsWith(b, map[string]string{
		"data-dir": dir, "web-listen": "127.0.0.1:0", "hooks-listen": "127.0.0.1:0", "nats-listen": "", "log-level": "error", "digicert-webhook-key": testKey,
	})
	c, err := s.Config()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan *node.Server, 1), make(chan error, 1)
	go func() { ended <- node.Serve(ctx, c, io.Discard, func(sv *node.Server) { started <- sv }) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	select {
	case sv := <-started:
		return sv
	case err := <-ended:
		ended <- nil
		b.Fatal(err)
		return nil
	}
}

// rawStream runs a stream of a plain nats-server in this process, for limits, until stop is called or b ends.
func rawStream(b *testing.B, always bool, subjects string) (js jetstream.JetStream, stream jetstream.Stream, stop func()) {
	b.Helper()
	ns, err := server.NewServer(&server.Options{JetStream: true, StoreDir: b.TempDir(), DontListen: true, NoSigs: true, NoLog: true, SyncAlways: always})
	if err != nil {
		b.Fatal(err)
	}
	ns.Start()
	stop = func() { ns.Shutdown(); ns.WaitForShutdown() }
	b.Cleanup(stop)
	if !ns.ReadyForConnections(10 * time.Second) {
		b.Fatal("the server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	if js, err = jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1024)); err != nil {
		b.Fatal(err)
	}
	stream, err = js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "LIMIT", Subjects: []string{subjects}, Storage: jetstream.FileStorage})
	if err != nil {
		b.Fatal(err)
	}
	return js, stream, stop
}

// publishing runs the limit: a handler that does nothing but publish what it is sent, to a server that syncs each
// message.
func publishing(b *testing.B) string {
	b.Helper()
	js, _, _ := rawStream(b, true, "limit.>")
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = js.Publish(r.Context(), "limit.x", body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	b.Cleanup(h.Close)
	return h.URL
}

// request appends to b the n-th delivery: ten events an order, as in life.
func request(b []byte, path string, n int64) []byte {
	var body []byte
	body = append(body, `{"event":"certificate_issued","data":{"order_id":`...)
	body = strconv.AppendInt(body, 100_000+n/10, 10)
	body = append(body, `,"certificate_id":`...)
	body = strconv.AppendInt(body, 900_000+n/10, 10)
	body = append(body, `}}`...)
	b = append(b, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nX-WEBHOOK-KEY: "+testKey+"\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

// load sends deliveries over keep-alive connections for a time and returns how many a second were answered 200.
func load(b *testing.B, base, path string, connections int, duration time.Duration, order *atomic.Int64) float64 {
	b.Helper()
	target, err := url.Parse(base)
	if err != nil {
		b.Fatal(err)
	}
	var done atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for range connections {
		group.Go(func() {
			conn, err := net.Dial("tcp", target.Host)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in, out := bufio.NewReader(conn), []byte(nil)
			for time.Since(began) < duration {
				out = request(out[:0], path, order.Add(1))
				_, err := conn.Write(out)
				if err == nil {
					err = readAnswer(in)
				}
				if err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(began).Seconds()
}

func readAnswer(in *bufio.Reader) error {
	status, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		return fmt.Errorf("answered %s", status)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			return nil // neither handler answers with a body
		}
	}
}

// withGoDefaults runs what another program would do with Go's own settings, which serve has changed for this process.
func withGoDefaults(run func() float64) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	return run()
}

// processorTime returns what this process has used, load generators included. It differs less from run to run than a
// rate does.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDeliveries measures durable deliveries a second over HTTP at 64 keep-alive connections, projections running,
// beside the handler that does nothing but publish with a sync each. Both take turns in one run.
func BenchmarkDeliveries(b *testing.B) {
	const connections, duration = 64, 2 * time.Second
	sv := inProcess(b)
	limit := publishing(b)
	var order atomic.Int64
	for b.Loop() {
		var ours, limits []float64
		var lag uint64
		var cost time.Duration
		var count int64
		for range 3 {
			before, first := processorTime(b), order.Load()
			ours = append(ours, load(b, sv.Config.HooksURL, "/hooks/digicert", connections, duration, &order))
			cost += processorTime(b) - before
			count += order.Load() - first
			status, _, err := sv.Store.Status(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			lag = max(lag, status[0].Lag)
			limits = append(limits, withGoDefaults(func() float64 { return load(b, limit, "/", connections, duration, &order) }))
		}
		slices.Sort(ours)
		slices.Sort(limits)
		b.ReportMetric(ours[1], "deliveries/s")
		b.ReportMetric(limits[1], "publish-only-always/s")
		b.ReportMetric(ours[1]/limits[1], "ratio")
		b.ReportMetric(float64(cost.Microseconds())/float64(count), "cpu-us/delivery")
		b.ReportMetric(float64(lag), "lag-at-end")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDeliveryToReadModel measures the time from sending one delivery until its row can be read.
func BenchmarkDeliveryToReadModel(b *testing.B) {
	sv := inProcess(b)
	changes := make(chan uint64, 1024)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go sv.Store.Live(ctx, 0, func(c projections.Change) error { changes <- c.Seq; return nil })
	var order atomic.Int64
	var took []time.Duration
	seq := uint64(0)
	for b.Loop() {
		for range 1000 {
			began := time.Now()
			w := world{hooks: sv.Config.HooksURL}
			if status, body, err := w.deliver("digicert", issuedDelivery(int(order.Add(1)))); err != nil || status != http.StatusOK {
				b.Fatalf("%d %s %v", status, body, err)
			}
			seq++
			for <-changes < seq {
			}
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}
