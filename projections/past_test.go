package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// lossyLog has lost the event gone, 0: none, and says so as the real one does. It may lose it while others read.
type lossyLog struct {
	*memoryLog
	gone atomic.Uint64
}

func (l *lossyLog) Get(ctx context.Context, seq uint64) (schema.Record, error) {
	r, err := l.memoryLog.Get(ctx, seq)
	if err != nil || seq == l.gone.Load() {
		return schema.Record{}, fmt.Errorf("the log has no event %d: %w", seq, fs.ErrNotExist)
	}
	return r, nil
}

// rowsOf returns all rows that s has, by name, each as JSON without what only a moment adds.
func rowsOf(t *testing.T, s *Store, m Moment) map[string]string {
	t.Helper()
	db, done, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer done(&err)
	rows, err := db.Query("SELECT DISTINCT model, provider, id FROM timeline WHERE model <> 'accounts'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var k Key
		if err := rows.Scan(&k.Model, &k.Provider, &k.ID); err != nil {
			t.Fatal(err)
		}
		if text := rowText(t, s, k, m); text != "" {
			all[fmt.Sprint(k)] = text
		}
	}
	return all
}

// domainsOf returns the names' details, by name and part: "example.com orders digicert/1".
func domainsOf(t *testing.T, s *Store, m Moment) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"example.com", "www.example.com", "*.example.com"} {
		d, err := s.DomainAt(context.Background(), name, m)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range d.Validations {
			all[name+" validations "+x.Provider] = withoutThen(t, x)
		}
		for _, x := range d.Orders {
			all[name+" orders "+x.Provider+"/"+x.ID] = withoutThen(t, x)
		}
		for _, x := range d.Certificates {
			all[name+" certificates "+x.Provider+"/"+x.ID] = withoutThen(t, x)
		}
		for _, x := range d.DNSSEC {
			all[name+" dnssec "+x.Provider+"/"+x.WebsiteID] = withoutThen(t, x)
		}
	}
	return all
}

// rowText returns one row as JSON; "" when no event has concerned it.
func rowText(t *testing.T, s *Store, k Key, m Moment) string {
	t.Helper()
	item, err := s.Row(context.Background(), ModelNamed(k.Model), k.Provider, k.ID, m)
	if errors.Is(err, ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatalf("%v as of %+v: %v", k, m, err)
	}
	return withoutThen(t, item)
}

func withoutThen(t *testing.T, item any) string {
	t.Helper()
	b, err := json.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	delete(v, "as_of")
	delete(v, "as_of_seq")
	if b, err = json.MarshalIndent(v, "", " "); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// anyMarkedEvent draws an event of any kind; some are said by certtrail's own clock, which folds pass over.
func anyMarkedEvent(t *rapid.T, n int) *schema.Event {
	e := anyEvent(t, n)
	if rapid.IntRange(0, 9).Draw(t, "clock") == 0 {
		e.Source = schema.ClockSource
	}
	return e
}

// TestThenIsWhatWasLive feeds a store event by event and keeps what it shows after each: as of then, the store that has
// all of them must show the same of every row to the last key, the parked, repeated and unheard-of events included.
func TestThenIsWhatWasLive(t *testing.T) {
	dir := t.TempDir()
	n := 0
	someChecks(t, 30, func(rt *rapid.T) {
		n++
		l := newMemoryLog()
		s, stop := running(t, filepath.Join(dir, fmt.Sprint(n)), &lossyLog{memoryLog: l})
		defer stop()
		count := rapid.IntRange(1, 8).Draw(rt, "events")
		moments := make([]Moment, count)
		was, domainsWere := make([]map[string]string, count), make([]map[string]string, count)
		for i := range count {
			e := anyMarkedEvent(rt, i)
			l.append(e)
			caughtUp(t, s)
			moments[i] = Moment{Seq: uint64(i + 1)}
			was[i], domainsWere[i] = rowsOf(t, s, Moment{Now: e.Time.Time}), domainsOf(t, s, Moment{Now: e.Time.Time})
		}
		for i, m := range moments {
			still := domainsWere[count-1] // a row that has lost the name since may be missing
			renamed := renamedSince(t, was[i], was[count-1])
			compare(rt, m, renamed, only(domainsOf(t, s, m), still), only(domainsWere[i], still))
			compare(rt, m, renamed, rowsOf(t, s, m), was[i])
		}
		i := rapid.IntRange(0, count-1).Draw(rt, "by time")
		byTime := Moment{Time: began.Add(time.Duration(i) * time.Second)}
		compare(rt, byTime, renamedSince(t, was[i], was[count-1]), rowsOf(t, s, byTime), was[i])
	})
}

func only(all, names map[string]string) map[string]string {
	kept := map[string]string{}
	for k, text := range all {
		if _, ok := names[k]; ok {
			kept[k] = text
		}
	}
	return kept
}

// renamedSince returns the certificates of then that are for other names now: as of then they need not be found as
// successors.
func renamedSince(t *testing.T, then, now map[string]string) map[CertificateRef]bool {
	t.Helper()
	renamed := map[CertificateRef]bool{}
	for k, text := range then {
		if !strings.HasPrefix(k, "{"+lifecycle.Certificates+" ") {
			continue
		}
		var before, after Certificate
		for text, c := range map[string]*Certificate{text: &before, now[k]: &after} {
			if err := json.Unmarshal([]byte(text), c); err != nil {
				t.Fatal(err)
			}
		}
		if before.CommonName != after.CommonName || !slices.Equal(before.DNSNames, after.DNSNames) {
			renamed[CertificateRef{before.Provider, before.ID}] = true
		}
	}
	return renamed
}

var successorPart = regexp.MustCompile(`,?\s*"successor": \{\s*"id": "(\w+)",\s*"provider": "(\w+)"\s*\}`)

// withoutRenamed returns both texts without successors, where want names one of the renamed.
func withoutRenamed(renamed map[CertificateRef]bool, got, want string) (string, string) {
	for _, m := range successorPart.FindAllStringSubmatch(want, -1) {
		if renamed[CertificateRef{Provider: m[2], ID: m[1]}] {
			return successorPart.ReplaceAllString(got, ""), successorPart.ReplaceAllString(want, "")
		}
	}
	return got, want
}

func compare(t *rapid.T, m Moment, renamed map[CertificateRef]bool, got, want map[string]string) {
	for k := range want {
		if got, want := withoutRenamed(renamed, got[k], want[k]); got != want {
			t.Fatalf("%s as of %+v is\n%s\nit was\n%s", k, m, got, want)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows as of %+v, there were %d", len(got), m, len(want))
	}
}

// received makes an event about order 1, or another, that was received so many seconds after the beginning.
func received(seconds int, order string, k schema.Kind) *schema.Event {
	return event(seconds, k, schema.Data{OrderID: order})
}

func TestMoments(t *testing.T) {
	l := newMemoryLog(received(10, "2", schema.OrderUpdated), received(20, "1", schema.OrderUpdated), received(30, "2", schema.OrderIssued),
		received(50, "1", schema.OrderRejected), received(40, "1", schema.OrderIssued), received(60, "2", schema.OrderUpdated))
	s, _ := running(t, t.TempDir(), &lossyLog{memoryLog: l})
	caughtUp(t, s)
	second := func(n int) Moment { return Moment{Time: began.Add(time.Duration(n) * time.Second)} }
	for _, c := range []struct {
		m     Moment
		state string // "": not found
		seq   uint64 // the last one folded
		clock int    // in seconds after the beginning
		later int
	}{
		{Moment{Seq: 1}, "", 0, 0, 0},
		{Moment{Seq: 2}, "pending", 2, 20, 2},
		{Moment{Seq: 3}, "pending", 2, 30, 2}, // another row's event, and its time
		{Moment{Seq: 4}, "rejected", 4, 50, 1},
		{Moment{Seq: 5}, "issued", 5, 40, 0},
		{Moment{Seq: 6}, "issued", 5, 60, 0},
		{Moment{Seq: 999}, "issued", 5, 40, 0}, // past the end
		{second(19), "", 0, 0, 0},
		{second(20), "pending", 2, 20, 2},
		{second(39), "pending", 2, 39, 2},
		{second(45), "issued", 5, 45, 0}, // what came before it in the log counts, though it was received later by the clock
		{second(50), "issued", 5, 50, 0},
		{second(9999), "issued", 5, 9999, 0},
	} {
		o, err := One(context.Background(), s, Orders, "digicert", "1", c.m)
		if c.state == "" {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("as of %+v: %+v, %v; want ErrNotFound", c.m, o, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("as of %+v: %v", c.m, err)
			continue
		}
		clock := schema.At(began.Add(time.Duration(c.clock) * time.Second))
		if o.State != c.state || o.AsOfSeq != c.seq || o.AsOf == nil || *o.AsOf != clock || len(o.Later) != c.later || len(o.Timeline)+c.later != 3 {
			t.Errorf("as of %+v: %s, seq %d, clock %v, %d later; want %s, seq %d, clock %v, %d later", c.m, o.State, o.AsOfSeq, o.AsOf, len(o.Later), c.state, c.seq, clock, c.later)
		}
	}
	if _, err := One(context.Background(), s, Orders, "digicert", "none", Moment{Seq: 5}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an order that never was: %v", err)
	}
	now, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began})
	if err != nil || now.AsOf != nil || now.AsOfSeq != 0 || len(now.Timeline) != 3 {
		t.Errorf("the present is %+v, %v", now, err)
	}
	if got := fmt.Sprint(now.Timeline[1].Changes, now.Timeline[2].Changes); got != "[{state pending rejected 0}] [{state rejected issued 0}]" {
		t.Errorf("changes %s", got)
	}
}

// TestTheClockOfThePast: what depends on the clock does so as of then.
func TestTheClockOfThePast(t *testing.T) {
	from, until := schema.At(began), schema.At(began.AddDate(0, 0, 200))
	l := newMemoryLog(event(1, schema.OrderIssued, schema.Data{OrderID: "1", CertificateID: "9", Certificate: &schema.Certificate{CommonName: "a.example", NotBefore: &from, NotAfter: &until}}))
	s, _ := running(t, t.TempDir(), &lossyLog{memoryLog: l})
	caughtUp(t, s)
	for days, want := range map[int]string{1: "active 199", 180: "expiring 20", 201: "expired -1"} {
		c, err := One(context.Background(), s, Certificates, "digicert", "9", Moment{Time: began.AddDate(0, 0, days)})
		if err != nil || fmt.Sprint(c.State, " ", *c.DaysLeft) != want {
			t.Errorf("after %d days: %+v, %v; want %s", days, c, err, want)
		}
	}
}

func TestPartsOfADomainThatLostTheName(t *testing.T) {
	issued := func(n int, certificate string, names ...string) *schema.Event {
		return event(n, schema.OrderIssued, schema.Data{OrderID: "1", CertificateID: certificate, Certificate: &schema.Certificate{CommonName: names[0], DNSNames: names}})
	}
	s, _ := running(t, t.TempDir(), &lossyLog{memoryLog: newMemoryLog(issued(1, "8", "a.example", "b.example"), issued(2, "9", "a.example"))})
	caughtUp(t, s)
	for seq, want := range map[uint64]string{1: "1 order, 1 certificate", 2: "0 order, 1 certificate"} {
		d, err := s.DomainAt(context.Background(), "B.example.", Moment{Seq: seq})
		if err != nil || fmt.Sprintf("%d order, %d certificate", len(d.Orders), len(d.Certificates)) != want {
			t.Errorf("as of %d: %+v, %v; want %s", seq, d, err, want)
		}
	}
	if d, err := s.DomainAt(context.Background(), "b.example", Moment{Now: began}); err != nil || len(d.Events) != 2 || len(d.Orders) != 0 {
		t.Errorf("the present of the name that was lost: %+v, %v", d, err)
	}
	if d, err := s.DomainAt(context.Background(), "a.example", Moment{Seq: 1}); err != nil || len(d.Events) != 2 || d.AsOfSeq != 1 || len(d.Certificates) != 1 {
		t.Errorf("as of 1: %+v, %v", d, err)
	}
	if _, err := s.DomainAt(context.Background(), "no name", Moment{Seq: 1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is no name: %v", err)
	}
}

func TestAPastThatCannotBeFolded(t *testing.T) {
	l := &lossyLog{memoryLog: newMemoryLog(
		received(1, "1", schema.OrderUpdated), received(2, "1", schema.OrderRejected), received(3, "2", schema.OrderIssued))}
	dir := t.TempDir()
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	l.gone.Store(1)
	_, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Seq: 2})
	if !errors.Is(err, ErrNoPast) || !strings.Contains(err.Error(), "event 1") {
		t.Errorf("with a gap: %v, want ErrNoPast that names event 1", err)
	}
	if o, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began}); err != nil || o.State != "rejected" || o.Timeline[1].Changes != nil {
		t.Errorf("the present with a gap: %+v, %v", o, err)
	}
	stop()

	g, _, err := readCurrent(dir)
	if err != nil {
		t.Fatal(err)
	}
	bare, _, _, err := OpenReadOnly(filepath.Join(dir, g.String()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	if _, err := One(context.Background(), bare, Orders, "digicert", "1", Moment{Seq: 1}); !errors.Is(err, ErrNoLog) {
		t.Errorf("without a log: %v, want ErrNoLog", err)
	}
	for _, m := range []Moment{{Seq: 2}, {Seq: 3}, {Time: began.Add(time.Hour)}, {Now: began}} { // its own moment
		if o, err := One(context.Background(), bare, Orders, "digicert", "1", m); err != nil || o.State != "rejected" || len(o.Timeline) != 2 {
			t.Errorf("without a log, as of %+v: %+v, %v", m, o, err)
		}
	}
}

func TestOnlyTheNewestChangesAreTold(t *testing.T) {
	var events []*schema.Event
	for i := range ChangesLimit + 2 {
		k := schema.OrderRejected
		if i%2 == 0 {
			k = schema.OrderIssued
		}
		events = append(events, received(i, "1", k))
	}
	s, _ := running(t, t.TempDir(), &lossyLog{memoryLog: newMemoryLog(events...)})
	caughtUp(t, s)
	o, err := One(context.Background(), s, Orders, "digicert", "1", Moment{Now: began})
	if err != nil {
		t.Fatal(err)
	}
	if o.Timeline[1].Changes != nil || o.Timeline[2].Changes == nil || o.Timeline[ChangesLimit+1].Changes == nil {
		t.Errorf("changes of the 2nd, 3rd and last: %v, %v, %v", o.Timeline[1].Changes, o.Timeline[2].Changes, o.Timeline[ChangesLimit+1].Changes)
	}
}
