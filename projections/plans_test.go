package projections

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/certtrail/certtrail/schema"
)

// recorder connects to a database and records every query that is made of it.
type recorder struct {
	dsn string

	mu   sync.Mutex
	made map[string][]any // the query's text, and the arguments of the last one
}

func (r *recorder) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (r *recorder) Connect(context.Context) (driver.Conn, error) {
	conn, err := r.Driver().Open(r.dsn)
	if err != nil {
		return nil, err
	}
	return recorded{conn.(*sqlite3.SQLiteConn), r}, nil
}

type recorded struct {
	*sqlite3.SQLiteConn
	r *recorder
}

func (c recorded) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.r.made[query] = nil
	for _, a := range args {
		c.r.made[query] = append(c.r.made[query], a.Value)
	}
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

// recording has s read through a recorder from now on.
func recording(t *testing.T, s *Store) *recorder {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &recorder{dsn: dsn(s.current.path, "mode=ro"), made: map[string][]any{}}
	before := s.current.readers
	t.Cleanup(func() { before.Close() })
	s.current.readers = sql.OpenDB(r)
	return r
}

// explained returns SQLite's plan of a query, step by step.
func explained(t *testing.T, db *sql.DB, query string, args ...any) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c any
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil || len(steps) == 0 {
		t.Fatalf("no plan (%v)", err)
	}
	return steps
}

// wholly returns the tables that SQLite would read from one end to the other for the query.
func (r *recorder) wholly(t *testing.T, query string) (tables []string) {
	t.Helper()
	db := sql.OpenDB(&recorder{dsn: r.dsn, made: map[string][]any{}})
	defer db.Close()
	for _, detail := range explained(t, db, query, r.made[query]...) {
		rest, scan := strings.CutPrefix(detail, "SCAN ")
		if !scan {
			continue
		}
		alias, _, _ := strings.Cut(rest, " ")
		for _, table := range comparedTables {
			is := alias == table.name || regexp.MustCompile(`\b`+table.name+" "+alias+`\b`).MatchString(query)
			if is && !strings.Contains(query, table.name+" (") { // or else it is a table of the query's own
				tables = append(tables, table.name)
			}
		}
	}
	return tables
}

// TestOneRowIsFoundByIndexes asks for single rows, now and as of the past: no question reads any table whole, however
// few of its rows there are here.
func TestOneRowIsFoundByIndexes(t *testing.T) {
	from, until := schema.At(began), schema.At(began.AddDate(0, 0, 90))
	certificate := &schema.Certificate{SerialNumber: "0a", CommonName: "www.example.com", DNSNames: []string{"www.example.com"}, NotBefore: &from, NotAfter: &until}
	ds := &schema.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: "AB"}
	l := newMemoryLog(
		event(1, schema.OrderIssued, schema.Data{OrderID: "1", CertificateID: "10", Certificate: certificate}),
		event(2, schema.OrderIssued, schema.Data{OrderID: "2", CertificateID: "20", Certificate: certificate}),
		event(3, schema.DomainValidated, schema.Data{Domain: "www.example.com"}),
		event(4, schema.DNSSECRotationStarted, schema.Data{WebsiteID: "1", Domain: "www.example.com", DS: ds}),
		event(5, schema.TargetCreated, schema.Data{TargetID: "t", Target: &schema.Target{Host: "www.example.com"}}),
		event(6, schema.FindingDetected, schema.Data{TargetID: "t", FindingID: "t:1", Finding: &schema.Finding{Name: "Weak cipher"}}),
		event(7, schema.OrderUpdated, schema.Data{OrderID: "1"}),
	)
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	r := recording(t, s)
	ctx := t.Context()
	for _, m := range []Moment{{Now: began}, {Seq: 6}, {Time: began.Add(6 * time.Second)}} {
		_, ofOrder := One(ctx, s, Orders, "digicert", "1", m)
		_, ofCertificate := One(ctx, s, Certificates, "digicert", "10", m)
		_, ofRotation := One(ctx, s, DNSSECs, "digicert", "1", m)
		_, ofTarget := One(ctx, s, Targets, "digicert", "t", m)
		_, ofFinding := One(ctx, s, Findings, "digicert", "t:1", m)
		_, ofDomain := s.DomainAt(ctx, "www.example.com", m)
		if err := errors.Join(ofOrder, ofCertificate, ofRotation, ofTarget, ofFinding, ofDomain); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := s.Named(ctx, "example.com"); err != nil {
		t.Error(err)
	}
	for query := range r.made {
		if tables := r.wholly(t, query); len(tables) > 0 {
			t.Errorf("%v is read whole for %s", tables, query)
		}
	}
}
