package projections

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestSearchTakesWhatIsPasted searches a list that is short, whose rows are looked at, and one that is long, whose keys
// are found by indexes.
func TestSearchTakesWhatIsPasted(t *testing.T) {
	const serial, fingerprint = "0a1b2c3d4e5f", "00fd46e6c4b45c55d4ac49fd46e6c4b45c55d4ac49fd46e6c4b45c55d4ac49fd"
	issued := func(n int, provider, order, certificate string, c *schema.Certificate) *schema.Event {
		return event(n, schema.OrderIssued, schema.Data{Provider: provider, OrderID: order, CertificateID: certificate, Certificate: c})
	}
	for _, l := range []*memoryLog{newMemoryLog(), manyOrders()} {
		l.append(issued(1, "digicert", "771001", "881001", &schema.Certificate{SerialNumber: serial, FingerprintSHA256: fingerprint,
			CommonName: "xn--bcher-kva.example", DNSNames: []string{"www.xn--bcher-kva.example"}}))
		l.append(issued(2, "digicert", "771002", "881002", &schema.Certificate{SerialNumber: "0b", FingerprintSHA256: strings.Repeat("7", 64), CommonName: "other.example"}))
		l.append(issued(3, "sectigo", "771001", "881009", &schema.Certificate{SerialNumber: "0c", FingerprintSHA256: strings.Repeat("8", 64), CommonName: "same-number.example"}))
		l.append(issued(4, "digicert", "771004", "881004", &schema.Certificate{SerialNumber: "0d", FingerprintSHA256: strings.Repeat("9", 64),
			CommonName: "*.api.example.org", DNSNames: []string{"*.api.example.org", "api.example.org"}}))
		l.append(issued(5, "digicert", "771005", "881005", &schema.Certificate{SerialNumber: "0e", FingerprintSHA256: strings.Repeat("6", 64), CommonName: "v2.api.example.org"}))
		l.append(event(6, schema.OrderCheckFailed, schema.Data{OrderID: "771006", Check: schema.DomainCheck("*.shop.example.org"), CheckState: schema.CheckFailed}))
		l.append(event(7, schema.DomainValidated, schema.Data{Domain: "edge.api.example.org"}))
		l.append(event(8, schema.OrderCheckFailed, schema.Data{OrderID: "771003", Check: schema.CheckPhone, CheckState: schema.CheckFailed}))
		l.append(event(9, schema.OrderUpdated, schema.Data{OrderID: "771003", Check: schema.DomainCheck("shop.third.example"), CheckState: schema.CheckPending}))
		s, _ := running(t, t.TempDir(), l)
		caughtUp(t, s)
		for _, c := range []struct {
			want  string
			texts []string
		}{
			{"881001", []string{serial, "0A1B2C3D4E5F", "0a:1b:2c:3d:4e:5f", "0A 1B 2C 3D 4E 5F", "0x0A1B2C3D4E5F", "a1b2c3d4e5f", "0000000a1b2c3d4e5f", "serial=0A1B2C3D4E5F",
				fingerprint, strings.ToUpper(fingerprint), "SHA256 Fingerprint=00:FD:46:E6:C4:B4:5C:55:D4:AC:49:FD:46:E6:C4:B4:5C:55:D4:AC:49:FD:46:E6:C4:B4:5C:55:D4:AC:49:FD", "881001", "#881001", " 881001 ",
				"digicert 771001", "digicert/881001", "DigiCert CertCentral 881001", "http://127.0.0.1:8080/certificates/digicert/881001", "https://ca.example/certs/881001/?tab=1#top"}},
			{"881002", []string{"CN=other.example", "cn=OTHER.example", "subject=CN = other.example", "subject=C = DE, O = Example, CN = other.example",
				"/C=DE/CN=other.example/O=Example", "CN=other.example,O=Example"}},
			{"881001 881009", []string{"771001", "https://www.digicert.com/secure/orders/771001"}},
			{"881004", []string{"www.api.example.org", "https://www.api.example.org/login", "CN=www.api.example.org", "https://edge.api.example.org/"}},
			{"881004 881005", []string{"api.example.org", "*.api.example.org", "CN = *.api.example.org"}},
			{"", []string{"ücher.example", "0x", ":", "jane@other.example", "0a1b", "https://", "=", "a b",
				"sectigo 881001", "digicert ", "CN=Some Organization", "www.v2.api.example.org", "*.other.example", "https://other.example.net/orders"}},
			{"881002", []string{"https://other.example/881001", "https://other.example/digicert/771001"}},
			{"881004 881005", []string{"example.org", "*.example.org"}},
		} {
			for _, q := range c.texts {
				if got := foundBy(t, s, "certificates", q); got != c.want {
					t.Errorf("%q finds certificates %q, want %q", q, got, c.want)
				}
			}
		}
		for q, want := range map[string]string{"771001": "771001 771001", "#771002": "771002", "bücher.example": "771001", "BÜCHER.example.": "771001", "xn--bcher-kva.example": "771001",
			"https://www.bücher.example/shop?x=1": "771001", "http://www.xn--bcher-kva.example:8443": "771001", "www.xn--bcher-kva.example/path": "771001", "881001": "771001",
			"digicert 771001": "771001", "Digicert/771001": "771001", "digicert #881001": "771001", "sectigo 771001": "771001", "xolphin 771001": "", "DigiCert CertCentral · xolphin 771001": "", "https://www.digicert.com/secure/orders/771002": "771002",
			"a.shop.example.org": "771006", "*.shop.example.org": "771006", "shop.example.org": "771006", "a.b.shop.example.org": "", "v2.api.example.org": "771004 771005",
			"third.example": "771003", "shop.third.example": "771003", "771003": "771003", "phone": "", "failed": "", "*.third.example": "771003"} {
			if got := foundBy(t, s, "orders", q); got != want {
				t.Errorf("%q finds orders %q, want %q", q, got, want)
			}
			if n, err := s.Count(t.Context(), "orders", Query{Q: q, Now: began}); err != nil || n != len(strings.Fields(want)) {
				t.Errorf("%q counts %d orders, want %q (%v)", q, n, want, err)
			}
		}
		for name, want := range map[string][2]bool{"xn--bcher-kva.example": {true, true}, "www.xn--bcher-kva.example": {true, false}, "org": {false, true}, "cher-kva.example": {},
			"www.api.example.org": {true, false}, "a.b.api.example.org": {}, "*.api.example.org": {true, true}, "*.shop.example.org": {true, false}, "*.example.org": {false, true}} {
			known, below, err := s.Named(t.Context(), name)
			if err != nil || [2]bool{known, below} != want {
				t.Errorf("%s: known %t, below %t, %v", name, known, below, err)
			}
			if _, err := s.DomainAt(t.Context(), name, Moment{Now: began}); known != (err == nil) {
				t.Errorf("%s: known %t, and its page: %v", name, known, err)
			}
		}
	}
}

// foundBy returns the ids of what q finds in a list.
func foundBy(t *testing.T, s *Store, model, q string) string {
	t.Helper()
	var ids []string
	query := Query{Q: q, Sort: "id", Now: began}
	if model == "orders" {
		items, _, err := List(t.Context(), s, Orders, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range items {
			ids = append(ids, o.ID)
		}
		return strings.Join(ids, " ")
	}
	items, _, err := List(t.Context(), s, Certificates, query)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range items {
		ids = append(ids, c.ID)
	}
	return strings.Join(ids, " ")
}

// TestSearchGoesByIndexes: no way to be found goes through a list, but for the names in those that are short or have no
// index of them.
func TestSearchGoesByIndexes(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	short := map[string][]string{Organizations.Name: {"name"}, Targets.Name: {"name", "host"}, Scans.Name: {"host"}, Users.Name: {"name"}}
	for _, q := range []string{"771001", "digicert 771001", "digicert/771001", "https://ca.example/orders/771001", "www.api.example.org", "*.example.org", "CN=a.example"} {
		for _, m := range Models() {
			searchedByIndex(t, s, m.About(), q, short[m.About().Name]...)
		}
	}
}

func searchedByIndex(t *testing.T, s *Store, of *Spec, q string, without ...string) {
	t.Helper()
	w := &where{}
	of.search(w, q)
	args := w.foundArgs
	for _, found := range w.found {
		n := strings.Count(found, "?")
		plan := planOf(t, s, found, args[:n]...)
		args = args[n:]
		if slices.ContainsFunc(without, func(column string) bool { return strings.Contains(found, " WHERE "+column+" = ? AND") }) {
			continue
		}
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN "+of.Name) || strings.HasPrefix(step, "SCAN names") || strings.HasSuffix(step, "(provider=?)") {
				t.Errorf("%q in %s: %s\n%s", q, of.Name, strings.Join(plan, "\n"), found)
			}
		}
	}
	if len(args) > 0 {
		t.Errorf("%q in %s: %d arguments are left", q, of.Name, len(args))
	}
}

// manyOrders makes more than fewFound of one provider and few of another, with certificates that end over three years.
func manyOrders() *memoryLog {
	l := newMemoryLog()
	for i := range fewFound + 500 {
		provider, kind := "digicert", schema.OrderIssued
		if i%100 == 0 {
			provider = "xolphin"
		}
		from := schema.At(began.AddDate(0, 0, i%900-600))
		to := schema.At(from.AddDate(0, 0, []int{47, 100, 199, 398}[i%4]).Add(-time.Second))
		d := schema.Data{Provider: provider, Event: "x", OrderID: fmt.Sprint(1_000_000 + i), CertificateID: fmt.Sprint(2_000_000 + i),
			Certificate: &schema.Certificate{SerialNumber: "01", FingerprintSHA256: fmt.Sprintf("%064x", i+1), CommonName: fmt.Sprintf("h%d.z%d.example", i, i%5), NotBefore: &from, NotAfter: &to}}
		if i%50 == 0 {
			kind = schema.CertificateRevoked
		}
		l.append(schema.New(fmt.Sprintf("01900000-0000-7000-8000-%012x", i), "/hooks/"+provider, schema.At(began.Add(time.Duration(i*7%997)*time.Second)), kind, d))
	}
	return l
}

// TestListsAreTheSameWhicheverWayTheyAreRead compares filters and orders with what one finds by looking at every row:
// every four of sort, provider, state, bounds and words together. The torture has all five.
func TestListsAreTheSameWhicheverWayTheyAreRead(t *testing.T) { everyList(t, 3) }

// everyList compares one in so many lists with what one finds by looking at every row.
func everyList(t testing.TB, oneIn int) {
	s, stop := running(t, t.TempDir(), manyOrders())
	defer stop()
	caughtUp(t, s)
	all := everyCertificate(t, s, Query{Now: began})
	if len(all) != fewFound+500 {
		t.Fatalf("%d certificates", len(all))
	}
	from, until := began.AddDate(0, 0, 10), began.AddDate(0, 0, 40)
	states := []string{"", "valid", "active", "expiring", "expired", "revoked", "replaced", "issued"}
	for i, sort := range []string{"", "not_after", "-not_after", "id"} {
		for j, provider := range []string{"", "digicert", "xolphin"} {
			for k, state := range states {
				for l, bounds := range [][2]time.Time{{}, {from, until}, {from, time.Time{}}, {time.Time{}, until}} {
					for m, q := range []string{"", "z3.example", "example"} {
						if (i+j+k+l+m)%oneIn == 0 {
							checkList(t, s, all, Query{
								Sort: sort, Provider: provider, State: state, ExpiresFrom: bounds[0], ExpiresUntil: bounds[1], Q: q,
								Limit: MaxLimit, Now: began,
							})
						}
					}
				}
			}
		}
	}
}

func everyCertificate(t testing.TB, s *Store, q Query) []Certificate {
	t.Helper()
	var all []Certificate
	for {
		items, next, err := List(t.Context(), s, Certificates, q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		q.Cursor = next
	}
}

func checkList(t testing.TB, s *Store, all []Certificate, q Query) {
	t.Helper()
	var want []string
	for _, c := range all {
		if (q.Provider == "" || c.Provider == q.Provider) && (q.State == "" || c.State == q.State || q.State == "valid" && (c.State == "active" || c.State == "expiring")) &&
			(q.ExpiresFrom.IsZero() || !c.NotAfter.Before(q.ExpiresFrom)) && (q.ExpiresUntil.IsZero() || c.NotAfter.Before(q.ExpiresUntil)) && (q.Q == "" || strings.HasSuffix(c.CommonName, "."+q.Q)) {
			want = append(want, c.ID)
		}
	}
	var got []string
	var before *Certificate
	for _, c := range everyCertificate(t, s, q) {
		got = append(got, c.ID)
		if before != nil && (q.Sort == "not_after" && c.NotAfter.Before(before.NotAfter.Time) || q.Sort == "-not_after" && c.NotAfter.After(before.NotAfter.Time) ||
			q.Sort == "id" && c.ID < before.ID || q.Sort == "" && c.LastEventAt.After(before.LastEventAt.Time)) {
			t.Errorf("%+v: %s comes after %s", q, c.ID, before.ID)
		}
		before = &c
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%+v finds %d, want %d", q, len(got), len(want))
	}
	if n, err := s.Count(t.Context(), "certificates", q); n != len(want) || err != nil {
		t.Errorf("%+v counts %d, want %d (%v)", q, n, len(want), err)
	}
}

func TestExpiring(t *testing.T) {
	s, _ := running(t, t.TempDir(), manyOrders())
	caughtUp(t, s)
	var spans []Span
	for i := range 52 {
		spans = append(spans, Span{began.AddDate(0, 0, 7*i), began.AddDate(0, 0, 7*i+7)})
	}
	limits := []int{398, 200, 100, 47}
	x, err := s.Expiring(context.Background(), spans, limits, began)
	if err != nil || fmt.Sprint(x.Providers) != "[digicert xolphin]" {
		t.Fatalf("%v of %v", err, x.Providers)
	}
	over := make([]int, len(limits))
	valid := everyCertificate(t, s, Query{State: "valid", Now: began, Limit: MaxLimit})
	for _, c := range valid {
		for i, days := range limits {
			if c.NotAfter.Sub(c.NotBefore.Time)+time.Second > time.Duration(days)*24*time.Hour {
				over[i]++
			}
		}
	}
	if x.Valid != len(valid) || !slices.Equal(x.Over, over) || over[0] != 0 || over[3] == 0 || over[3] == len(valid) {
		t.Errorf("%d valid, %v of them for longer than %v; want %d, %v", x.Valid, x.Over, limits, len(valid), over)
	}
	for i, span := range spans {
		for j, provider := range x.Providers {
			n, err := s.Count(t.Context(), "certificates", Query{Provider: provider, State: "valid", ExpiresFrom: span.From, ExpiresUntil: span.Until, Now: began})
			if err != nil || n != x.Spans[i][j] {
				t.Errorf("week %d: %d of %s, its list has %d (%v)", i, x.Spans[i][j], provider, n, err)
			}
		}
	}
}

// TestExpiringFollowsWhatChanges counts spans that begin and end within days, while certificates are revoked and learn
// another end.
func TestExpiringFollowsWhatChanges(t *testing.T) {
	l := newMemoryLog()
	s, _ := running(t, t.TempDir(), l)
	hear := func(i int, id string, kind schema.Kind, days int) {
		from, to := schema.At(began), schema.At(began.AddDate(0, 0, days).Add(12*time.Hour))
		l.append(event(i, kind, schema.Data{OrderID: "1", CertificateID: id, Certificate: &schema.Certificate{FingerprintSHA256: fmt.Sprint(i), NotBefore: &from, NotAfter: &to}}))
	}
	noon := time.Date(began.Year(), began.Month(), began.Day()+10, 12, 0, 0, 0, time.UTC)
	for i := range 6 {
		hear(i+1, fmt.Sprint(i), schema.OrderIssued, 10+i/2)
	}
	hear(7, "0", schema.CertificateRevoked, 10)
	hear(8, "1", schema.OrderIssued, 14)
	caughtUp(t, s)
	for _, span := range []Span{{noon.Add(-30 * time.Hour), noon.Add(90 * time.Hour)}, {noon, noon.Add(time.Hour)}, {noon.Add(-12 * time.Hour), noon.Add(36 * time.Hour)}, {noon.Add(-time.Hour), noon.Add(13 * time.Hour)}} {
		x, err := s.Expiring(t.Context(), []Span{span}, []int{10}, began)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Count(t.Context(), "certificates", Query{State: "valid", ExpiresFrom: span.From, ExpiresUntil: span.Until, Now: began})
		if got := x.Spans[0]; err != nil || len(got) != 1 || got[0] != n || x.Valid != 5 || x.Over[0] != 5 {
			t.Errorf("%v: %v, its list has %d; %d valid, %v longer (%v)", span, got, n, x.Valid, x.Over, err)
		}
	}
	v, err := s.Verify(t.Context(), nil)
	if err != nil || v.Differing != 0 {
		t.Errorf("a rebuild counts otherwise: %v (%v)", v.Differences, err)
	}
}

func TestLapsing(t *testing.T) {
	l := newMemoryLog()
	for i, days := range []int{3, 3, 10, 400} {
		until := schema.At(began.AddDate(0, 0, days))
		l.append(event(i+1, schema.DomainValidated, schema.Data{Domain: fmt.Sprintf("d%d.example", i), ExpiresAt: &until}))
	}
	l.append(event(5, schema.DomainValidated, schema.Data{Domain: "unknown.example"}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	var spans []Span
	for i := range 12 {
		spans = append(spans, Span{began.AddDate(0, 0, i), began.AddDate(0, 0, i+1)})
	}
	counts, err := s.Lapsing(t.Context(), spans)
	if err != nil || fmt.Sprint(counts) != "[0 0 0 2 0 0 0 0 0 0 1 0]" {
		t.Errorf("%v (%v)", counts, err)
	}
	all, err := s.DomainsNamed(t.Context(), []string{"d3.example", "d0.example", "d0.example", "none.example"}, began)
	if err != nil || len(all) != 2 || all[0].Name != "d0.example" || all[1].Name != "d3.example" {
		t.Errorf("%+v (%v)", all, err)
	}
	if _, _, err := List(t.Context(), s, Orders, Query{ExpiresFrom: began, Now: began}); err == nil || !strings.Contains(err.Error(), "orders cannot be chosen by when they expire") {
		t.Errorf("orders by their end: %v", err)
	}
}
