package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
)

// underWay counts the orders that are in progress at once in the benchmarks' history, each with ten events.
const underWay = 500

// historyEvent makes the i-th event of that history, about 1 KiB.
func historyEvent(i int) *schema.Event {
	order := i/(10*underWay)*underWay + i%underWay
	step := i / underWay % 10
	id := strconv.Itoa(100_000 + order)
	d := schema.Data{Provider: "digicert", Event: "certificate_issued", Decoder: "digicert/1", OrderID: id}
	kind := schema.OrderUpdated
	switch step {
	case 0:
		kind, d.Check, d.CheckState = schema.OrderApprovalRequested, schema.CheckApproval, schema.CheckPending
	case 1:
		d.Check, d.CheckState = schema.CheckApproval, schema.CheckPassed
	case 2:
		kind, d.Check, d.CheckState, d.Reason = schema.OrderCheckFailed, schema.CheckOrganization, schema.CheckFailed, "The register has no such company."
	case 3:
		kind = schema.OrderMessageReceived
	case 4:
		d.Check, d.CheckState = schema.CheckOrganization, schema.CheckPassed
	case 5, 6:
		kind, d.Domain = schema.DomainValidated, fmt.Sprintf("host-%d-%d.example.com", order, step)
		d.Check, d.CheckState = schema.DomainCheck(d.Domain), schema.CheckPassed
	case 9:
		kind, d.CertificateID = schema.OrderIssued, strconv.Itoa(900_000+order)
		from, to := schema.At(historyBegan), schema.At(historyBegan.AddDate(0, 0, 199))
		d.Certificate = &schema.Certificate{
			SerialNumber: fmt.Sprintf("0a%030x", order), CommonName: fmt.Sprintf("host-%d-5.example.com", order),
			DNSNames: []string{fmt.Sprintf("host-%d-5.example.com", order), fmt.Sprintf("host-%d-6.example.com", order)}, Issuer: "Example Issuing CA",
			NotBefore: &from, NotAfter: &to, KeyAlgorithm: "ECDSA-P-256", FingerprintSHA256: fmt.Sprintf("%064x", order),
		}
	}
	d.Original = &schema.Original{Method: "POST", Headers: map[string]string{"content-type": "application/json", "user-agent": "benchmark"},
		Body: json.RawMessage(`{"event":"certificate_issued","data":{"order_id":` + id + `,"note":"` + strings.Repeat("x", 300) + `"}}`)}
	return schema.New(fmt.Sprintf("01900000-0000-7000-8000-%012x", i), "/hooks/digicert", schema.At(historyBegan.Add(time.Duration(i)*time.Second)), kind, d)
}

var historyBegan = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// filled makes a log of n events of that history.
func filled(tb testing.TB, dir string, n int) *embedded.Log {
	tb.Helper()
	log, err := embedded.Open(context.Background(), embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(log.Close)
	for first := 0; first < n; first += 5000 {
		var events []streams.Raw
		for i := first; i < min(n, first+5000); i++ {
			e := historyEvent(i)
			data, err := e.Encode()
			if err != nil {
				tb.Fatal(err)
			}
			events = append(events, streams.Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data})
		}
		if _, err := log.AppendAll(context.Background(), events); err != nil {
			tb.Fatal(err)
		}
	}
	return log
}

// readDecode measures one limit: n events read in order from a plain stream, and decoded, by one consumer that does
// nothing with them. It returns their number a second. The stream's server is gone afterwards: what it holds in memory
// would slow down the others' collector.
func readDecode(b *testing.B, n int) float64 {
	b.Helper()
	js, stream, stop := rawStream(b, false, schema.Subjects)
	defer stop()
	for i := range n {
		e := historyEvent(i)
		data, err := e.Encode()
		if err == nil {
			_, err = js.PublishAsync(e.NATSSubject(), data)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	began := time.Now()
	consumer, err := stream.OrderedConsumer(context.Background(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	done, count := make(chan struct{}), 0
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if _, err := schema.DecodeMeaning(m.Data()); err != nil {
			b.Error(err)
		}
		if count++; count == n {
			close(done)
		}
	}, jetstream.PullMaxMessages(2000))
	if err != nil {
		b.Fatal(err)
	}
	<-done
	took := time.Since(began)
	consuming.Stop()
	<-consuming.Closed()
	return float64(n) / took.Seconds()
}

// rawTable holds a table of a database, with its rows.
type rawTable struct {
	create, insert string
	rows           [][]any
}

// rawTables reads all tables of a database into memory, and what makes its indexes.
func rawTables(b *testing.B, path string) (tables []*rawTable, indexes []string) {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	found, err := db.Query("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
	if err != nil {
		b.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var kind, name, text string
		if err := found.Scan(&kind, &name, &text); err != nil {
			b.Fatal(err)
		}
		if kind != "table" { // indexes, and what keeps one table in step with another
			indexes = append(indexes, text)
		} else {
			tables = append(tables, &rawTable{create: text})
			tables[len(tables)-1].read(b, db, name)
		}
	}
	return tables, indexes
}

func (t *rawTable) read(b *testing.B, db *sql.DB, name string) {
	b.Helper()
	rows, err := db.Query("SELECT * FROM " + name)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	t.insert = "INSERT INTO " + name + " VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			b.Fatal(err)
		}
		t.rows = append(t.rows, values)
	}
}

// insertRows measures the other limit: all rows of the database at path, held in memory, inserted into a fresh one with
// raw prepared statements, in transactions of 20,000 without syncs, indexes last. It returns the n events that they
// came from, a second.
func insertRows(b *testing.B, path string, n int) float64 {
	b.Helper()
	tables, indexes := rawTables(b, path)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_journal_mode=OFF&_synchronous=OFF&_cache_size=-65536")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	exec := func(text string) {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for _, t := range tables {
		exec(t.create)
		stmt, err := conn.PrepareContext(context.Background(), t.insert)
		if err != nil {
			b.Fatal(err)
		}
		for rows := range slices.Chunk(t.rows, 20_000) {
			exec("BEGIN")
			for _, values := range rows {
				if _, err := stmt.Exec(values...); err != nil {
					b.Fatal(err)
				}
			}
			exec("COMMIT")
		}
	}
	for _, text := range indexes {
		exec(text)
	}
	return float64(n) / time.Since(began).Seconds()
}

// BenchmarkRebuild measures a rebuild of the read models from the first event until they are read, beside its two
// limits, all taking turns in one run, and its ratio to the slower of them.
func BenchmarkRebuild(b *testing.B) {
	const n = 300_000
	defer node.Tune()()
	log := filled(b, b.TempDir(), n)
	dir := b.TempDir()
	store, err := projections.Open(projections.Options{Dir: dir, Log: log.Reader("projections"), Aside: log, Logger: slog.New(slog.DiscardHandler), Building: node.TuneBuilding})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	rebuild := func() float64 {
		began := time.Now()
		if _, err := store.Rebuild(context.Background(), false, nil); err != nil {
			b.Fatal(err)
		}
		return n / time.Since(began).Seconds()
	}
	rebuild()
	for b.Loop() {
		var ours, reads, inserts []float64
		var cost time.Duration
		for range 3 {
			before := processorTime(b)
			ours = append(ours, rebuild())
			cost += processorTime(b) - before
			reads = append(reads, readDecode(b, n))
			paths, err := filepath.Glob(filepath.Join(dir, "*.db"))
			if err != nil || len(paths) != 1 {
				b.Fatal(paths, err)
			}
			inserts = append(inserts, insertRows(b, paths[0], n))
			runtime.GC() // neither the rows nor the plain stream are any concern of the others
		}
		for _, list := range [][]float64{ours, reads, inserts} {
			slices.Sort(list)
		}
		b.ReportMetric(ours[1], "events/s")
		b.ReportMetric(reads[1], "read-and-decode/s")
		b.ReportMetric(inserts[1], "insert-rows/s")
		b.ReportMetric(float64(cost.Microseconds())/(3*n), "cpu-us/event")
		b.ReportMetric(ours[1]/min(reads[1], inserts[1]), "ratio")
	}
	b.ReportMetric(0, "ns/op")
}
