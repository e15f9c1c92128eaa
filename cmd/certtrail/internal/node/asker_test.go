package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// inside runs an owner in this process, whose read models follow its log, and its asker.
type inside struct {
	*ask.Asker
	o     *Node
	t     *testing.T
	ctx   context.Context
	ahead *atomic.Int64 // how far the asker's clock is
	stop  func()        // ends folding
}

func newInside(t *testing.T) *inside {
	t.Helper()
	return newInsideWith(t, nil)
}

// newInsideWith returns one that asks name servers by resolver.
func newInsideWith(t *testing.T, resolver *ask.DNS) *inside {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o, err := open(ctx, &settings.Config{Systems: systems, DataDir: t.TempDir(), Resolver: settings.ResolverOff}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	store, err := o.readModels()
	if err != nil {
		t.Fatal(err)
	}
	var folding sync.WaitGroup
	follow, stopFollowing := context.WithCancel(ctx)
	folding.Go(func() { store.Run(follow) })
	stop := func() {
		stopFollowing()
		folding.Wait()
	}
	t.Cleanup(func() {
		cancel()
		stop()
		o.close()
	})
	ahead := &atomic.Int64{}
	options := o.askerOptions(nil, resolver)
	options.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	o.loop = ask.NewAsker(options)
	return &inside{o.loop, o, t, ctx, ahead, stop}
}

// told appends what a provider delivered at at, and waits for its row.
func (i *inside) told(at time.Time, k schema.Kind, d schema.Data) {
	i.t.Helper()
	id, err := newID()
	if err == nil {
		_, err = i.o.log.Append(i.ctx, schema.New(id, "/hooks/"+d.Provider, schema.At(at), k, d))
	}
	if err == nil {
		err = i.CatchUp(i.ctx)
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

// ids lists those of the events after seq whose source is not a hook, and the log's end.
func (i *inside) ids(seq uint64) (ids []string, last uint64) {
	i.t.Helper()
	records, _, err := i.o.log.Events(i.ctx, seq, "", 1000, 64<<20)
	if err != nil {
		i.t.Fatal(err)
	}
	for _, r := range records {
		e, err := schema.Decode(r.Data)
		if err != nil {
			i.t.Fatal(err)
		}
		if last = r.Seq; !strings.HasPrefix(e.Source, "/hooks/") {
			ids = append(ids, e.Source+" "+string(e.Kind())+" "+e.Data.Domain+e.Data.CertificateID)
		}
	}
	return ids, max(last, seq)
}

// ticks looks at the clock at now, once the read models are there.
func (i *inside) ticks(now time.Time) {
	i.t.Helper()
	err := i.CatchUp(i.ctx)
	if err == nil {
		err = i.Tick(i.ctx, now)
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

// TestClockTellsOnce: what falls due is told once, whatever the clock does; what was past when certtrail first had a
// clock is not, and no state changes.
func TestClockTellsOnce(t *testing.T) {
	i := newInside(t)
	begin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) *schema.Time { v := schema.At(begin.AddDate(0, 0, days)); return &v }
	certificate := func(id string, from, to int) {
		i.told(begin, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: id, CertificateID: id, Certificate: &schema.Certificate{CommonName: "a.test", NotBefore: at(from), NotAfter: at(to)}})
	}
	certificate("soon", -170, 30)
	certificate("over", -200, -1)
	certificate("revoked", -170, 30)
	i.told(begin, schema.CertificateRevoked, schema.Data{Provider: "digicert", OrderID: "revoked", CertificateID: "revoked"})
	i.told(begin, schema.DomainValidated, schema.Data{Provider: "digicert", Domain: "b.test", OccurredAt: at(-170), ExpiresAt: at(28)})
	i.told(begin, schema.DNSSECRotationStarted, schema.Data{Provider: "sectigo", WebsiteID: "42", Domain: "c.test", OccurredAt: at(9)})
	i.ticks(begin) // the first tick tells nothing
	ids, seq := i.ids(0)
	if len(ids) > 0 {
		t.Fatalf("the first tick told %v", ids)
	}
	for _, step := range []struct {
		day  float64
		want string
	}{
		{15.5, "/clock domain.revalidation_due b.test"}, // 14 days of it
		{16.5, "/clock dnssec.rotation_overdue c.test, /clock certificate.expiring soon"},
		{16.6, ""}, {10, ""}, {16.7, ""}, // also for a clock that goes back
		{29.5, "/clock domain.revalidation_due b.test, /clock certificate.expiring soon, /clock domain.revalidation_due b.test, /clock domain.expired b.test, /clock certificate.expiring soon"},
		{31, "/clock certificate.expired soon"},
		{400, ""},
	} {
		before := projectionsOf(t, i)
		i.ticks(begin.Add(time.Duration(step.day * float64(24*time.Hour))))
		ids, seq = i.ids(seq)
		if err := i.CatchUp(i.ctx); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, id := range ids {
			got[id]++
		}
		want := map[string]int{}
		for _, id := range strings.Split(step.want, ", ") {
			if id != "" {
				want[id]++
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("day %v told %v, want %v", step.day, got, want)
		}
		if after := projectionsOf(t, i); after != before {
			t.Errorf("day %v changed states from %s to %s", step.day, before, after)
		}
	}
	if c, err := projections.One(i.ctx, i.o.Store, projections.Certificates, "digicert", "soon", projections.Moment{Seq: seq}); err != nil || c.State != "expired" {
		t.Errorf("as of the last notice: %+v, %v", c, err)
	}
	if _, err := i.o.Store.Rebuild(i.ctx, false, nil); err != nil {
		t.Fatal(err)
	}
	i.ticks(begin.AddDate(0, 0, 401))
	if ids, _ := i.ids(seq); len(ids) > 0 {
		t.Errorf("a rebuild told %v", ids)
	}
}

// TestClockThatJumpedIsSaid: while the clock has jumped ahead nothing is told, and /system says why; once it is back,
// or was confirmed, what is due is told.
func TestClockThatJumpedIsSaid(t *testing.T) {
	i := newInside(t)
	begin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	from, to := schema.At(begin.AddDate(0, 0, -170)), schema.At(begin.AddDate(0, 0, 30))
	i.told(begin, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "1", CertificateID: "1", Certificate: &schema.Certificate{CommonName: "a.test", NotBefore: &from, NotAfter: &to}})
	h, err := web.New(web.Options{Store: i.o.Store, Log: i.o.log, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}, ClockTrouble: i.ClockTrouble})
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(h)
	t.Cleanup(pages.Close)
	const held = "the clock jumped forward by 48h0m0s, to 2027-01-19 00:01:00 UTC, so notices of what expires are held back"
	watch := &ask.Watch{Limit: 24 * time.Hour}
	mono := time.Duration(0)
	for step, tc := range []struct {
		wall time.Time
		told int // notices in all
		held bool
	}{
		{begin.AddDate(0, 0, 15), 0, false}, // the first look tells nothing
		{begin.AddDate(0, 0, 16), 1, false}, // 14 days before the end have passed
		{begin.AddDate(0, 0, 18).Add(time.Minute), 1, true},
		{begin.AddDate(0, 0, 16).Add(2 * time.Minute), 1, false},
		{begin.AddDate(0, 0, 22), 1, true},
		{begin.AddDate(0, 0, 17), 1, false},
	} {
		if mono += time.Minute; step == 1 {
			mono += 24*time.Hour - time.Minute // a day that passed
		}
		i.Look(i.ctx, watch, ask.Reading{Wall: tc.wall, Mono: mono})
		if ids, _ := i.ids(0); len(ids) != tc.told {
			t.Errorf("step %d: told %v, want %d", step, ids, tc.told)
		}
		_, page, err := fetch(pages.URL + "/system")
		if got := strings.Contains(string(page), "held back: set it right, or confirm it by starting certtrail again"); err != nil || got != tc.held {
			t.Errorf("step %d: that it is held back is said: %v, want %v (%v); %s", step, got, tc.held, err, i.ClockTrouble())
		}
		if step == 2 && !strings.Contains(strings.ToLower(string(page)), strings.ToLower(held)) {
			t.Errorf("it says %q, want %q", i.ClockTrouble(), held)
		}
	}
}

// projectionsOf returns the states that are stored, as of one moment.
func projectionsOf(t *testing.T, i *inside) string {
	t.Helper()
	q := projections.Query{Sort: "provider", Now: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)}
	d, _, err := projections.List(i.ctx, i.o.Store, projections.Domains, q)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := projections.List(i.ctx, i.o.Store, projections.Certificates, q)
	if err != nil {
		t.Fatal(err)
	}
	var s string
	for _, one := range d {
		s += one.Name + " " + one.State + "; "
	}
	for _, one := range c {
		s += one.ID + " " + one.State + "; "
	}
	return s
}

// TestRotationAtTheParent follows two rotations at a real server of the parent zone: the new record seen, the old one
// gone, and a zone that nobody can validate.
func TestRotationAtTheParent(t *testing.T) {
	p, resolver := newParent(t)
	i := newInsideWith(t, resolver)
	ds := func(tag uint16) (*schema.DS, string) {
		digest := strings.Repeat(fmt.Sprintf("%04X", tag), 16)
		return &schema.DS{KeyTag: tag, Algorithm: 13, DigestType: 2, Digest: digest}, fmt.Sprintf("example.test. 300 IN DS %d 13 2 %s", tag, digest)
	}
	first, firstText := ds(11111)
	second, secondText := ds(22222)
	_, otherText := ds(33333)
	hears := func(k schema.Kind, record *schema.DS) {
		i.told(time.Now(), k, schema.Data{Provider: "sectigo", WebsiteID: "42", Domain: "example.test", DS: record})
	}
	// looks looks at the parent, and is the row's next step then, and whether it is refused.
	looks := func() (step string, refused bool) {
		t.Helper()
		i.ahead.Add(int64(6 * time.Hour)) // it is due again
		if err := i.LookAtParents(i.ctx); err != nil {
			t.Fatal(err)
		}
		if err := i.CatchUp(i.ctx); err != nil {
			t.Fatal(err)
		}
		r, err := projections.One(i.ctx, i.o.Store, projections.DNSSECs, "sectigo", "42", projections.Moment{Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		d, ok := i.o.delegation(r)
		if !ok || d.Trouble != "" {
			t.Fatalf("the page has %+v, %v", d, ok)
		}
		return r.NextStep, d.Refused
	}
	expect := func(what, step string, refused bool) {
		t.Helper()
		if gotStep, gotRefused := looks(); gotStep != step || gotRefused != refused {
			t.Errorf("%s: next %q, refused %v; want %q, %v", what, gotStep, gotRefused, step, refused)
		}
	}
	p.has()
	hears(schema.DNSSECRotationStarted, first)
	expect("nothing at the parent", "ds-submit", false)
	p.has(firstText)
	expect("the new one at the parent", "", false)
	hears(schema.DNSSECRotationCompleted, first)
	hears(schema.DNSSECRotationStarted, second)
	expect("a second rotation", "ds-submit", false)
	p.has(firstText, secondText)
	expect("both at the parent", "", false)
	hears(schema.DNSSECRotationCompleted, second)
	expect("completed, both at the parent", "ds-retract", false)
	p.has(firstText)
	expect("completed, only the old one at the parent", "ds-retract", true)
	p.has(otherText)
	expect("completed, and the old one gone", "", true)
	p.has(secondText)
	expect("at its end", "", false)
	ids, _ := i.ids(0)
	if want := "[/ask/sectigo dnssec.ds_seen example.test /ask/sectigo dnssec.ds_seen example.test /ask/sectigo dnssec.ds_gone example.test]"; fmt.Sprint(ids) != want {
		t.Errorf("appended %v, want %s", ids, want)
	}
}

// TestRotationIsLookedAtAtOnce: a rotation that is heard of has its parent asked there and then.
func TestRotationIsLookedAtAtOnce(t *testing.T) {
	p, resolver := newParent(t)
	i := newInsideWith(t, resolver)
	record := &schema.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: strings.Repeat("AB", 32)}
	p.has("example.test. 300 IN DS 1 13 2 " + record.Digest)
	stop := i.Start()
	defer stop()
	i.told(time.Now(), schema.DNSSECRotationStarted, schema.Data{Provider: "sectigo", WebsiteID: "42", Domain: "example.test", DS: record})
	await(t, "the parent is not asked", func() bool {
		ids, _ := i.ids(0)
		return len(ids) > 0 && ids[0] == "/ask/sectigo dnssec.ds_seen example.test"
	})
}

// TestNoClockWhileBehind: while the read models are not there, nothing is told, and nothing is forgotten.
func TestNoClockWhileBehind(t *testing.T) {
	i := newInside(t)
	begin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter := schema.At(begin.AddDate(0, 0, 20))
	i.told(begin, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "1", CertificateID: "1", Certificate: &schema.Certificate{NotAfter: &notAfter}})
	i.ticks(begin)
	i.stop()
	id, _ := newID()
	if _, err := i.o.log.Append(i.ctx, schema.New(id, "/hooks/digicert", schema.At(begin), schema.CertificateRevoked, schema.Data{Provider: "digicert", OrderID: "1", CertificateID: "1"})); err != nil {
		t.Fatal(err)
	}
	if err := i.Tick(i.ctx, begin.AddDate(0, 0, 10)); err != nil {
		t.Fatal(err)
	}
	if ids, _ := i.ids(0); len(ids) > 0 || !i.State.Clock().Equal(begin) {
		t.Errorf("told %v of a certificate that is revoked, until %s", ids, i.State.Clock())
	}
}
