package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// wholeLog gives a store the log that it needs.
type wholeLog interface {
	Log
	Backlog
}

// running opens a store on dir and runs it until the test ends or stop is called.
func running(t testing.TB, dir string, l wholeLog) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done; s.Close() }) }
	t.Cleanup(stop)
	return s, stop
}

// caughtUp waits until s holds the whole log.
func caughtUp(t testing.TB, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		status, _, err := s.Status(context.Background())
		if err == nil && status[0].Lag == 0 && status[0].State == StateLive {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store does not catch up: %+v %v", status, err)
		}
		<-time.After(time.Millisecond)
	}
}

// dump prints every row of every table, but for where a batch ended.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	db, done, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer done(&err)
	var b strings.Builder
	for _, table := range []string{"orders", "certificates", "domains", "dnssec", "organizations", "websites", "accounts", "users", "targets", "scans", "findings", "attention", "timeline", "names", "quarantine", "gaps", "seen", "cursor"} {
		rows, err := db.Query("SELECT * FROM " + table + " ORDER BY 1, 2, 3, 4")
		if table == "quarantine" || table == "gaps" || table == "seen" || table == "cursor" {
			rows, err = db.Query("SELECT * FROM " + table + " ORDER BY 1")
		}
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			b.WriteString(table)
			for _, v := range values {
				fmt.Fprintf(&b, "|%v", *v.(*any))
			}
			b.WriteByte('\n')
		}
		rows.Close()
	}
	return b.String()
}

var began = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func event(n int, k schema.Kind, d schema.Data) *schema.Event {
	if d.Provider == "" {
		d.Provider = "digicert"
	}
	return schema.New(fmt.Sprintf("0199-%d", n), "/hooks/"+d.Provider, schema.At(began.Add(time.Duration(n)*time.Second)), k, d)
}

// anyEvent draws an event of any kind about one of a few rows.
func anyEvent(t *rapid.T, n int) *schema.Event {
	id := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "id")
	domain := rapid.SampledFrom([]string{"example.com", "www.example.com", "*.example.com"}).Draw(t, "domain")
	provider := rapid.SampledFrom([]string{"digicert", "xolphin", "sectigo"}).Draw(t, "provider")
	from, until := schema.At(began), schema.At(began.AddDate(0, 0, 200))
	certificate := &schema.Certificate{SerialNumber: "0a" + id, CommonName: domain, DNSNames: []string{domain}, NotBefore: &from, NotAfter: &until}
	d := schema.Data{Provider: provider, Event: "e"}
	kind := rapid.SampledFrom([]schema.Kind{
		schema.OrderIssued, schema.OrderRejected, schema.OrderCheckFailed, schema.OrderReissueReady, schema.OrderMessageReceived, schema.OrderUpdated, schema.CertificateRevoked,
		schema.CertificateReplaced, schema.DomainValidated, schema.DomainExpired, schema.OrganizationValidated, schema.DNSSECRotationStarted, schema.DNSSECRotationCompleted,
		"website.firewall_enabled", "database.backup_restore_state_changed", "account.user_create", schema.DeliveryUnrecognized, "order.teleported", "unheard.of",
	}).Draw(t, "kind")
	switch kind.Aggregate() {
	case "order":
		d.OrderID = id
		if kind == schema.OrderIssued {
			d.CertificateID, d.Certificate = id+"0", certificate
		}
		if kind == schema.OrderCheckFailed {
			d.Check, d.CheckState, d.Reason = schema.CheckPhone, schema.CheckFailed, "why"
		}
	case "certificate":
		d.OrderID, d.CertificateID = id, id+"0"
	case "domain":
		d.Domain = rapid.SampledFrom([]string{domain, ""}).Draw(t, "named") // one without a name is parked
		if kind == schema.DomainValidated {
			d.OrderID, d.Check, d.CheckState = id, schema.DomainCheck(d.Domain), schema.CheckPassed
		}
	case "organization":
		d.OrganizationID, d.ExpiresAt = id, &until
	case "dnssec":
		d.WebsiteID, d.Domain, d.DS = id, domain, &schema.DS{KeyTag: uint16(len(id) + n%3), Algorithm: 13, DigestType: 2, Digest: "AB"}
	default:
		d.TargetID, d.Reason = id, "a reason"
	}
	e := event(n, kind, d)
	if rapid.IntRange(0, 9).Draw(t, "true id") == 0 {
		e.ID = "probely:" + id // one that comes again is the same event
	}
	return e
}

// TestBatchesDoNotMatter folds one history in batches of all sizes, with restarts between them: the tables must be the
// same to the last cell.
func TestBatchesDoNotMatter(t *testing.T) {
	dir := t.TempDir()
	n := 0
	someChecks(t, 30, func(rt *rapid.T) {
		var events []*schema.Event
		for i := range rapid.IntRange(1, 40).Draw(rt, "events") {
			events = append(events, anyEvent(rt, i))
		}
		n++
		whole := newMemoryLog(events...)
		a, stopA := running(t, filepath.Join(dir, fmt.Sprint(n, "a")), whole)
		caughtUp(t, a)
		want := dump(t, a)
		stopA()

		sizes := rapid.SliceOfN(rapid.IntRange(1, 7), 1, 10).Draw(rt, "sizes")
		at := 0
		pieces := newMemoryLog(events[:len(events)/2]...)
		pieces.split = func() int { at++; return sizes[at%len(sizes)] }
		path := filepath.Join(dir, fmt.Sprint(n, "b"))
		b, stopB := running(t, path, pieces)
		caughtUp(t, b)
		stopB()
		pieces.append(events[len(events)/2:]...)
		b, stopB = running(t, path, pieces)
		caughtUp(t, b)
		if got := dump(t, b); got != want {
			rt.Fatalf("in pieces\n%s\nat once\n%s", got, want)
		}
		stopB()
	})
}

func TestAnExchangedLogIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	issued := func(n int, order string) *schema.Event {
		return event(n, schema.OrderIssued, schema.Data{OrderID: order, CertificateID: "9"})
	}
	s, stop := running(t, dir, newMemoryLog(issued(1, "1"), issued(2, "2")))
	caughtUp(t, s)
	stop()
	for name, l := range map[string]*memoryLog{
		"shorter": newMemoryLog(issued(3, "3")),
		"other":   newMemoryLog(issued(4, "3"), issued(5, "4"), issued(6, "5")),
	} {
		t.Run(name, func(t *testing.T) {
			s, stop := running(t, dir, l)
			defer stop()
			caughtUp(t, s)
			if _, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began}); !errors.Is(err, ErrNotFound) {
				t.Errorf("an order of the log before: %v, want ErrNotFound", err)
			}
			if _, err := One(context.Background(), s, Orders, "digicert", "3", Moment{Now: began}); err != nil {
				t.Errorf("an order of the log: %v", err)
			}
		})
	}
}

func TestDamagedFileIsBuiltAnew(t *testing.T) {
	dir := t.TempDir()
	l := newMemoryLog(event(1, schema.OrderIssued, schema.Data{OrderID: "1"}))
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	stop()
	paths, _ := filepath.Glob(filepath.Join(dir, "*.db"))
	if err := os.WriteFile(paths[0], []byte(strings.Repeat("garbage ", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ = running(t, dir, l)
	caughtUp(t, s)
	if o, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began}); err != nil || o.State != "issued" {
		t.Errorf("after the damage: %+v, %v", o, err)
	}
}

func TestGapsAreNoted(t *testing.T) {
	l := newMemoryLog(event(1, schema.OrderIssued, schema.Data{OrderID: "1"}), event(2, schema.OrderIssued, schema.Data{OrderID: "2"}))
	l.records = l.records[1:]
	l.records[0].Missing = 1
	gapped := &shifted{l}
	s, _ := running(t, t.TempDir(), gapped)
	caughtUp(t, s)
	_, m, err := s.Status(context.Background())
	if err != nil || len(m.Gaps) != 1 || m.Gaps[0] != (schema.Gap{First: 1, Last: 1}) || len(m.Held) > 0 {
		t.Errorf("missing %+v (%v), want 1 to 1, which nothing holds", m, err)
	}
}

// shifted has one record, at 2.
type shifted struct{ *memoryLog }

func (l *shifted) Last(context.Context) (uint64, error) { return 2, nil }

func (l *shifted) Follow(ctx context.Context, _ uint64, yield func([]schema.Record) error) error {
	if err := yield(l.records); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestWhatIsNoEventIsParked(t *testing.T) {
	l := newMemoryLog(event(1, schema.OrderIssued, schema.Data{OrderID: "1"}), event(2, schema.OrderRejected, schema.Data{OrderID: "1"}))
	l.records[0].Data = []byte("no event")
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	q, _, err := s.Quarantine(context.Background(), Query{})
	if err != nil || len(q) != 1 || q[0].Seq != 1 {
		t.Errorf("quarantine %+v (%v), want the event at 1", q, err)
	}
	if o, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began}); err != nil || o.State != "rejected" {
		t.Errorf("the rest goes on: %+v, %v", o, err)
	}
}

func TestPagesOfAList(t *testing.T) {
	var events []*schema.Event
	for i := range 25 {
		k := schema.OrderIssued
		if i%2 == 0 {
			k = schema.OrderRejected
		}
		e := event(i/3, k, schema.Data{OrderID: fmt.Sprint(i), Certificate: &schema.Certificate{CommonName: fmt.Sprintf("h%d.example.com", i)}})
		e.ID = fmt.Sprint(i)
		events = append(events, e)
	}
	s, _ := running(t, t.TempDir(), newMemoryLog(events...))
	caughtUp(t, s)
	for _, sort := range []string{"", "id", "-id", "state", "-state", "common_name", "event_count", "first_event_at", "-provider"} {
		seen := map[string]bool{}
		cursor := ""
		for range 10 {
			items, next, err := List(context.Background(), s, Orders, Query{Limit: 4, Sort: sort, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range items {
				if seen[o.ID] {
					t.Errorf("sorted by %q: %s is listed twice", sort, o.ID)
				}
				seen[o.ID] = true
			}
			if cursor = next; next == "" {
				break
			}
		}
		if len(seen) != 25 {
			t.Errorf("sorted by %q: %d orders listed, want 25", sort, len(seen))
		}
	}
	for q, want := range map[string]int{"7": 1, "example.com": 25, "h7.example.com": 1, "https://H7.example.com/x": 1, "xample.com": 0, "nothing": 0} {
		if items, _, err := List(context.Background(), s, Orders, Query{Q: q}); err != nil || len(items) != want {
			t.Errorf("searching %q finds %d (%v), want %d", q, len(items), err, want)
		}
	}
	if n, err := s.Count(context.Background(), "orders", Query{State: "rejected"}); err != nil || n != 13 {
		t.Errorf("%d rejected (%v), want 13", n, err)
	}
	for _, q := range []Query{{Sort: "nonsense"}, {State: "nonsense"}, {Cursor: "nonsense"}} {
		if _, _, err := List(context.Background(), s, Orders, q); !errors.Is(err, ErrQuery) {
			t.Errorf("%+v: %v, want ErrQuery", q, err)
		}
	}
}

// TestACursorIsOfOneOrder: the cursor of a page goes on only in the list, and in the order, that it was made for.
func TestACursorIsOfOneOrder(t *testing.T) {
	l := newMemoryLog()
	for i := range 5 {
		l.append(event(i+1, schema.OrderIssued, schema.Data{OrderID: fmt.Sprint(i), CertificateID: fmt.Sprint(i)}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	cursors := map[string]string{}
	for _, sort := range []string{"", "id", "-id", "common_name"} {
		_, next, err := List(t.Context(), s, Orders, Query{Sort: sort, Limit: 2, Now: began})
		if err != nil || next == "" {
			t.Fatalf("by %q: the cursor is %q (%v)", sort, next, err)
		}
		cursors[sort] = next
	}
	for made, cursor := range cursors {
		for asked := range cursors {
			items, _, err := List(t.Context(), s, Orders, Query{Sort: asked, Cursor: cursor, Now: began})
			switch {
			case made == asked:
				if err != nil || len(items) != 3 {
					t.Errorf("by %q goes on with %d (%v)", made, len(items), err)
				}
			case !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "of this list by "+cmp.Or(made, "-last_event_at")+", and the list is asked for by "+cmp.Or(asked, "-last_event_at")):
				t.Errorf("made by %q and asked by %q: %d (%v)", made, asked, len(items), err)
			}
		}
	}
	if _, _, err := List(t.Context(), s, Orders, Query{Sort: "-last_event_at", Cursor: cursors[""], Now: began}); err != nil {
		t.Errorf("the order that is not asked for is not the one that is: %v", err)
	}
	for _, cursor := range []string{cursors["id"] + "x", "e30"} {
		if _, _, err := List(t.Context(), s, Orders, Query{Sort: "id", Cursor: cursor, Now: began}); !errors.Is(err, ErrQuery) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
	if _, _, err := List(t.Context(), s, Certificates, Query{Sort: "id", Cursor: cursors["id"], Now: began}); !errors.Is(err, ErrQuery) {
		t.Errorf("certificates go on from orders: %v", err)
	}
}

func TestLiveResumes(t *testing.T) {
	l := newMemoryLog(event(1, schema.OrderIssued, schema.Data{OrderID: "1"}), event(2, schema.OrderIssued, schema.Data{OrderID: "2"}))
	dir := t.TempDir()
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	stop()
	s, _ = running(t, dir, l) // this process has not seen the changes of the one before
	caughtUp(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	enough := errors.New("enough")
	var seqs []uint64
	err := s.Live(ctx, 1, func(c Change) error {
		seqs = append(seqs, c.Seq)
		if c.Seq == 2 {
			l.append(event(3, schema.OrderRejected, schema.Data{OrderID: "1"}))
		}
		if c.Seq == 3 {
			if len(c.Rows) != 1 || c.Rows[0] != (Key{"orders", "digicert", "1"}) {
				t.Errorf("rows %v", c.Rows)
			}
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || fmt.Sprint(seqs) != "[2 3]" {
		t.Errorf("changes %v (%v), want 2 and 3", seqs, err)
	}
}
