package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// madeLog makes its events when they are read: a million orders of three CAs with a certificate each, over two years up
// to madeNow, and what surrounds them.
type madeLog struct{}

// How many of each the made log tells of.
const (
	madeOrders   = 1_000_000
	madeOthers   = 40_000 // orders without a certificate
	madeDomains  = 100_000
	madeFindings = 50_000
	madeUsers    = 20_000
	madeEvents   = madeOrders + madeOthers + madeDomains + madeFindings + madeUsers
)

var (
	madeNow   = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	madeBegan = madeNow.AddDate(-2, 0, 0)
)

// madeEvent makes event i of the log. What it is of goes by i times a number without a common divisor, so that all
// kinds are spread over the two years.
func madeEvent(i int) *schema.Event {
	at := schema.At(madeBegan.Add(madeNow.Sub(madeBegan) / madeEvents * time.Duration(i)))
	n := int(uint64(i) * 999_983 % madeEvents)
	provider := []string{"digicert", "digicert", "digicert", "digicert", "digicert", "digicert", "digicert", "sectigo", "sectigo", "xolphin"}[n%10]
	d := schema.Data{Provider: provider, Event: "made", Decoder: provider + "/1"}
	host := fmt.Sprintf("host-%d.zone-%d.example.com", n, n%5000)
	kind := schema.OrderIssued
	switch {
	case n < madeOrders:
		d.OrderID, d.CertificateID = strconv.Itoa(10_000_000+n), strconv.Itoa(20_000_000+n)
		from, to := schema.At(at.Add(-time.Hour)), schema.At(at.AddDate(0, 0, []int{199, 199, 90, 398}[n/10%4]))
		d.Certificate = &schema.Certificate{
			SerialNumber: fmt.Sprintf("0a%030x", n), CommonName: host, DNSNames: []string{host, "www." + host}, Issuer: "Example Issuing CA " + strconv.Itoa(n%7),
			NotBefore: &from, NotAfter: &to, KeyAlgorithm: "ECDSA-P-256", FingerprintSHA256: fmt.Sprintf("%064x", n),
		}
	case n < madeOrders+madeOthers:
		d.OrderID = strconv.Itoa(10_000_000 + n)
		switch n % 8 {
		case 0:
			kind = schema.OrderRejected
		case 1:
			kind, d.Check, d.CheckState, d.Reason = schema.OrderCheckFailed, schema.CheckOrganization, schema.CheckFailed, "The register has no such company."
		case 2:
			kind = schema.OrderCanceled
		case 3:
			kind = schema.OrderReissueReady
		default:
			kind, d.Check, d.CheckState = schema.OrderUpdated, schema.CheckApproval, schema.CheckPending
		}
	case n < madeOrders+madeOthers+madeDomains:
		until := schema.At(at.AddDate(0, 0, 199))
		kind, d.Domain, d.ExpiresAt = schema.DomainValidated, host, &until
		if n%50 == 0 {
			kind, d.Reason = schema.DomainValidationFailed, "no TXT record"
		}
	case n < madeOrders+madeOthers+madeDomains+madeFindings:
		kind, d.Provider, d.FindingID, d.TargetID = schema.FindingDetected, "probely", schema.FindingID(strconv.Itoa(n%5000), strconv.Itoa(n)), strconv.Itoa(n%5000)
		if n%4 > 0 {
			kind = schema.FindingFixed
		}
		d.Finding = &schema.Finding{Name: "Missing cookie flag", Severity: 10 * (1 + n%4), Host: host}
		if n%40 == 0 {
			d.Finding.Name = "Weak TLS cipher"
		}
	default:
		kind, d.Provider, d.UserID = schema.UserCreated, "defguard", fmt.Sprintf("%032x", n)
	}
	return schema.New(fmt.Sprintf("01900000-0000-7000-8000-%012x", i), "/hooks/"+d.Provider, at, kind, d)
}

func (madeLog) Last(context.Context) (uint64, error) { return madeEvents, nil }

func (madeLog) Get(_ context.Context, seq uint64) (schema.Record, error) {
	if seq < 1 || seq > madeEvents {
		return schema.Record{}, fs.ErrNotExist
	}
	e := madeEvent(int(seq - 1))
	data, err := e.Encode()
	return schema.Record{Seq: seq, Subject: e.NATSSubject(), Time: e.Time.Time, Data: data}, err
}

func (l madeLog) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	for after < until {
		var batch []schema.Record
		for after < until && len(batch) < 5000 {
			after++
			r, err := l.Get(ctx, after)
			if err != nil {
				return err
			}
			batch = append(batch, r)
		}
		if err := yield(batch); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l madeLog) Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error {
	if err := l.Read(ctx, after, madeEvents, yield); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// listed returns the first pages of every list, with every filter and what is searched for. Sorts that no index has are
// not among them.
func listed() []string {
	paths := []string{"/", "/expiry", "/dnssec", "/organizations", "/websites", "/targets", "/scans", "/users", "/quarantine", "/findings", "/findings?state=detected", "/findings?state=fixed"}
	for _, state := range []string{"", "action_required", "pending", "issued", "reissue_ready", "rejected", "canceled", "revoked"} {
		for _, provider := range []string{"", "digicert", "xolphin", "probely"} {
			paths = append(paths, "/orders?provider="+provider+"&state="+state)
		}
	}
	for _, state := range []string{"", "valid", "active", "expiring", "expired", "revoked", "replaced", "issued"} {
		for _, more := range []string{"", "&provider=xolphin", "&sort=not_after", "&expires_from=2026-12-01&expires_until=2026-12-08&sort=not_after", "&expires_from=2027-05-01&expires_until=2027-05-02"} {
			paths = append(paths, "/certificates?state="+state+more)
		}
	}
	for _, state := range []string{"", "validated", "revalidation_due", "expired", "failed"} {
		for _, more := range []string{"", "&provider=xolphin", "&sort=expires_at", "&sort=name", "&expires_from=2026-12-01&expires_until=2026-12-08"} {
			paths = append(paths, "/domains?state="+state+more)
		}
	}
	paths = append(paths, "/orders?sort=id", "/orders?sort=-id", "/orders?sort=common_name", "/orders?sort=-first_event_at", "/certificates?sort=id", "/certificates?sort=common_name")
	for _, q := range []string{"10500000", "20500000", "0x0A000000000000000000000000003039", "host-500000.zone-0.example.com", "https://host-500000.zone-0.example.com/path",
		"zone-17.example.com", "example.com", "nothing.example.org", "0A:00:00:00:00:00:00:00:00:00:00:00:00:00:30:39"} {
		for _, path := range []string{"/search", "/orders", "/certificates", "/domains", "/findings"} {
			paths = append(paths, path+"?q="+url.QueryEscape(q))
		}
	}
	return paths
}

// measured says how long a page took.
type measured struct {
	path     string
	p50, max time.Duration
}

// measureLists asks for every page five times, each time of a server that has found nothing out yet.
func measureLists(tb testing.TB, store *projections.Store) (all []measured) {
	tb.Helper()
	const times = 5
	took := map[string][]time.Duration{}
	for range times {
		handler, err := web.New(web.Options{
			Store: store, Providers: func() []web.Provider { return nil }, Version: version.String(), Hosts: []string{"localhost"},
			Now: func() time.Time { return madeNow }, ReadOnly: &web.ReadOnly{AsOf: madeNow, AsOfSeq: madeEvents},
		})
		if err != nil {
			tb.Fatal(err)
		}
		for _, path := range listed() {
			w := httptest.NewRecorder()
			began := time.Now()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
			took[path] = append(took[path], time.Since(began))
			if w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
				tb.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
			}
		}
	}
	for path, took := range took {
		slices.Sort(took)
		all = append(all, measured{path, took[times/2], took[times-1]})
	}
	return all
}

// BenchmarkLists measures how long the pages of lists take over a million orders and certificates, frame and all, and
// prints for each list the typical page and the slowest. Filling takes a minute or two.
func BenchmarkLists(b *testing.B) {
	store, err := projections.Open(projections.Options{Dir: b.TempDir(), Log: madeLog{}, Aside: madeLog{}, Logger: slog.New(slog.DiscardHandler), Building: node.TuneBuilding})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Rebuild(b.Context(), false, nil); err != nil {
		b.Fatal(err)
	}
	var all []measured
	for b.Loop() {
		all = measureLists(b, store)
	}
	slices.SortFunc(all, func(x, y measured) int { return cmp.Compare(y.p50, x.p50) })
	perList := map[string][]measured{}
	for _, m := range all {
		list, _, _ := strings.Cut(m.path, "?")
		perList[list] = append(perList[list], m)
	}
	for _, list := range slices.Sorted(maps.Keys(perList)) {
		pages := perList[list]
		b.Logf("%-15s %3d pages  median %6.1f ms  slowest %6.1f ms (at its worst %.1f ms): %s", list, len(pages), ms(pages[len(pages)/2].p50), ms(pages[0].p50), ms(pages[0].max), pages[0].path)
	}
	over := 0
	for over < len(all) && all[over].p50 >= 100*time.Millisecond {
		over++
	}
	b.ReportMetric(ms(all[len(all)/2].p50), "typical-ms")
	b.ReportMetric(ms(all[0].p50), "slowest-ms")
	b.ReportMetric(float64(over), "pages-over-100ms")
	b.ReportMetric(float64(len(all)), "pages")
	b.ReportMetric(0, "ns/op")
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
