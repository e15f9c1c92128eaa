package node

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// TestRulesArePointedOut: the pages say of a certificate that it outlives its rule, and of a validation that it lapses
// before the next renewal; and of others nothing.
func TestRulesArePointedOut(t *testing.T) {
	i := newInside(t)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	at := func(days int) *schema.Time { v := schema.At(now.AddDate(0, 0, days)); return &v }
	for name, days := range map[string]int{"long": 397, "short": 199} {
		i.told(now, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: name, CertificateID: name, Certificate: &schema.Certificate{
			CommonName: name + ".test", DNSNames: []string{name + ".test"}, NotBefore: at(-120), NotAfter: at(days - 120)}})
		i.told(now, schema.DomainValidated, schema.Data{Provider: "digicert", Domain: name + ".test", OccurredAt: at(-130)})
	}
	i.told(now, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "bare", CertificateID: "bare"})
	h, err := web.New(web.Options{Store: i.o.Store, Log: i.o.log, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(h)
	t.Cleanup(pages.Close)
	const outlives, lapses = "It is valid for 398 days; what was issued since 15 March 2026 may be valid for 200 at most.", "It lapses on 3 February 2027, before the next renewal, which is due from "
	for path, want := range map[string]string{
		"/certificates/digicert/long": outlives, "/certificates/digicert/short": "", "/certificates/digicert/bare": "",
		"/domains/long.test": lapses + "30 July 2027 on", "/domains/short.test": "",
	} {
		status, page, err := fetch(pages.URL + path)
		if err != nil || status != 200 {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
		if said := strings.Contains(string(page), "It is valid for ") || strings.Contains(string(page), "It lapses on "); said != (want != "") || !strings.Contains(string(page), want) {
			t.Errorf("%s: something is said: %v; want %q", path, said, want)
		}
	}
}

// answers holds what each part of the program says of the next renewal of what a validation covers: the day, and
// whether the validation lapses first.
type answers struct {
	api, page, start, clock string
}

// ruled runs certtrail as rules are asked of it: its log, its pages, its clock.
type ruled struct {
	*inside
	url string
	now time.Time
}

func newRuled(t *testing.T, now time.Time) *ruled {
	i := newInside(t)
	h, err := web.New(web.Options{Store: i.o.Store, Log: i.o.log, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(h)
	t.Cleanup(pages.Close)
	return &ruled{i, pages.URL, now}
}

// says appends events and waits for none of them.
func (r *ruled) says(t fataler, days int, k schema.Kind, d schema.Data) {
	id, err := newID()
	if err == nil {
		_, err = r.o.log.Append(r.ctx, schema.New(id, "/hooks/"+d.Provider, *r.in(days), k, d))
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// in returns a time so many days after now.
func (r *ruled) in(days int) *schema.Time {
	t := schema.At(r.now.AddDate(0, 0, days))
	return &t
}

// issues has a CA issue a certificate whose renewal should begin on a day.
func (r *ruled) issues(t fataler, provider, id string, renewal int, names ...string) {
	r.says(t, -60, schema.OrderIssued, schema.Data{Provider: provider, OrderID: id, CertificateID: id, Certificate: &schema.Certificate{
		CommonName: names[0], DNSNames: names, NotBefore: r.in(renewal + 30 - 180), NotAfter: r.in(renewal + 30)}})
}

func (r *ruled) get(t fataler, path string) string {
	status, page, err := fetch(r.url + path)
	if err != nil || status != 200 {
		t.Fatalf("%s: %d, %v\n%s", path, status, err, page)
	}
	return string(page)
}

// heard holds what the start page and the clock say, each of all validations.
type heard struct {
	matters []matter
	notices []ask.Notice
}

// matter holds what is read here of a matter of the API.
type matter struct{ Provider, Detail, Href string }

func (r *ruled) hear(t fataler) (h heard) {
	if err := r.CatchUp(r.ctx); err != nil {
		t.Fatalf("%v", err)
	}
	var list struct{ Items []matter }
	err := json.Unmarshal([]byte(r.get(t, "/api/v1/attention")), &list)
	if err == nil {
		h.notices, err = r.Due(r.ctx, r.now, r.now.AddDate(0, 0, -59))
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	h.matters = list.Items
	return h
}

// answersOf returns what all say of the validation of a domain: "2026-12-11", with " lapses" where they say so; ""
// where nothing is said.
func (r *ruled) answersOf(t fataler, h heard, provider, domain string) (a answers) {
	var d projections.DomainDetail
	if err := json.Unmarshal([]byte(r.get(t, "/api/v1/domains/"+domain)), &d); err != nil {
		t.Fatalf("%v", err)
	}
	for _, v := range d.Validations {
		if v.Provider == provider && v.NextRenewal != nil {
			a.api = v.NextRenewal.Format(time.DateOnly)
			if v.LapsesFirst {
				a.api += " lapses"
			}
		}
	}
	a.page = r.pageSays(t, domain)
	for _, m := range h.matters {
		_, day, ok := strings.Cut(m.Detail, "should begin on ")
		if ok && m.Provider == provider && m.Href == "/domains/"+url.PathEscape(domain) {
			a.start = dayOf(t, "2 Jan 2006.", day) + " lapses"
		}
	}
	for _, n := range h.notices {
		if _, day, ok := strings.Cut(n.Data.Reason, "should begin on "); ok && n.Data.Provider == provider && n.Data.Domain == domain {
			a.clock = dayOf(t, "2006-01-02.", day)
		}
	}
	return a
}

// ask returns answersOf as of what the log holds now.
func (r *ruled) ask(t fataler, provider, domain string) answers {
	return r.answersOf(t, r.hear(t), provider, domain)
}

// pageSays returns what the domain's page says of all its validations.
func (r *ruled) pageSays(t fataler, domain string) string {
	var lines []string
	for _, line := range strings.Split(r.get(t, "/domains/"+domain), "which is due from ")[1:] {
		day, _, _ := strings.Cut(line, " on:")
		lines = append(lines, dayOf(t, "2 January 2006", day)+" lapses")
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func dayOf(t fataler, layout, day string) string {
	parsed, err := time.Parse(layout, day)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return parsed.Format(time.DateOnly)
}

// TestNextRenewalIsTheEarliest: www is to be renewed in 10 days, api in 150, and the validation that both need lapses
// in 20. The next renewal is www's, for which the validation still does; once www is renewed, it is api's, and the
// validation lapses first. Everybody says so.
func TestNextRenewalIsTheEarliest(t *testing.T) {
	r := newRuled(t, time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	r.says(t, -60, schema.DomainValidated, schema.Data{Provider: "digicert", Domain: "shop.test", ExpiresAt: r.in(20)})
	r.issues(t, "digicert", "www", 10, "www.shop.test")
	r.issues(t, "digicert", "api", 150, "api.shop.test")
	if got, want := r.ask(t, "digicert", "shop.test"), (answers{api: "2026-12-11", clock: "2026-12-11"}); got != want {
		t.Errorf("they say %+v, want %+v", got, want)
	}
	if page := r.get(t, "/"); strings.Contains(page, "shop.test") {
		t.Error("the start page speaks of the validation, which is good for the next renewal")
	}
	r.issues(t, "digicert", "www-2", 170, "www.shop.test")
	if got, want := r.ask(t, "digicert", "shop.test"), (answers{"2027-04-30 lapses", "2027-04-30 lapses", "2027-04-30 lapses", "2027-04-30"}); got != want {
		t.Errorf("once www is renewed they say %+v, want %+v", got, want)
	}
	if page := r.get(t, "/"); !strings.Contains(page, "should begin on 30 Apr 2027") {
		t.Error("the start page does not say when the next renewal should begin")
	}
	r.says(t, -60, schema.DomainValidated, schema.Data{Provider: "digicert", Domain: "api.shop.test", ExpiresAt: r.in(400)})
	if got, want := r.ask(t, "digicert", "shop.test").api, "2027-05-20 lapses"; got != want {
		t.Errorf("once api has a validation of its own they say %s, want %s", got, want)
	}
	r.issues(t, "xolphin", "elsewhere", 5, "www.shop.test", "shop.test")
	if got, want := r.ask(t, "digicert", "shop.test").api, "2027-05-20 lapses"; got != want {
		t.Errorf("with a certificate of another CA they say %s, want %s", got, want)
	}
}
