package node

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// saidValidation holds what a CA said of a domain; lapse is in days from now.
type saidValidation struct {
	provider, domain string
	kind             schema.Kind
	lapse            int
	dated            bool // the CA said when it lapses
}

// usable reports whether the CA may issue on it.
func (v saidValidation) usable() bool {
	return (v.kind == schema.DomainValidated || v.kind == schema.DomainRevalidationDue) && v.lapse > 0
}

// saidCertificate describes one that a CA issued; renewal is in days from now, and its end 30 days later.
type saidCertificate struct {
	provider string
	renewal  int
	names    []string
	revoked  bool
}

// zone holds what was said of one zone, in the order of the log.
type zone struct {
	name         string
	validations  []saidValidation
	certificates []saidCertificate
}

// drawZone leaves out what no rule has a say in: an end on this very day, and two words about one validation.
func drawZone(t *rapid.T, name string) zone {
	z := zone{name: name}
	below := []string{name, "*." + name, "www." + name, "api." + name, "a.www." + name, "*.www." + name}
	provider := rapid.SampledFrom([]string{"digicert", "xolphin"})
	days := func(from, until int, label string) int {
		return rapid.IntRange(from, until).Filter(func(n int) bool { return n != 0 }).Draw(t, label)
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "validations") {
		v := saidValidation{provider: provider.Draw(t, "provider"), domain: rapid.SampledFrom(below[:4]).Draw(t, "domain"), kind: schema.DomainValidated,
			lapse: days(-25, 25, "lapse"), dated: rapid.IntRange(0, 3).Draw(t, "dated") > 0}
		if n == 0 {
			v.domain = name
		} else if rapid.IntRange(0, 3).Draw(t, "bad") == 0 {
			v.kind, v.dated = rapid.SampledFrom([]schema.Kind{schema.DomainValidationFailed, schema.DomainExpired}).Draw(t, "kind"), true
		}
		if !slices.ContainsFunc(z.validations, func(o saidValidation) bool { return o.provider == v.provider && o.domain == v.domain }) {
			z.validations = append(z.validations, v)
		}
	}
	for range rapid.IntRange(0, 5).Draw(t, "certificates") {
		z.certificates = append(z.certificates, saidCertificate{provider.Draw(t, "provider"), days(-40, 150, "renewal"),
			rapid.SliceOfNDistinct(rapid.SampledFrom(below), 1, 2, rapid.ID).Draw(t, "names"), rapid.IntRange(0, 5).Draw(t, "revoked") == 0})
	}
	return z
}

// said appends what was said of the zone.
func (r *ruled) said(t fataler, z *zone) {
	for _, v := range z.validations {
		d := schema.Data{Provider: v.provider, Domain: v.domain, ExpiresAt: r.in(v.lapse), OccurredAt: r.in(v.lapse - 200)} // 200 days is how long it may be reused
		if !v.dated {
			d.ExpiresAt = nil
		}
		r.says(t, -60, v.kind, d)
	}
	for i, c := range z.certificates {
		id := fmt.Sprint(z.name, "-", i)
		r.issues(t, c.provider, id, c.renewal, c.names...)
		if c.revoked {
			r.says(t, -60, schema.CertificateRevoked, schema.Data{Provider: c.provider, OrderID: id, CertificateID: id})
		}
	}
}

// toRenew reports whether the renewal of the certificate at i is to come: it is in force, and no newer one is for the
// same names.
func (z *zone) toRenew(i int) bool {
	c := z.certificates[i]
	succeeded := slices.ContainsFunc(z.certificates, func(n saidCertificate) bool {
		return n.renewal > c.renewal && !n.revoked && strings.Join(slices.Sorted(slices.Values(n.names)), " ") == strings.Join(slices.Sorted(slices.Values(c.names)), " ")
	})
	return !c.revoked && c.renewal+30 >= 0 && !succeeded
}

// usedFor returns the longest domain of a usable validation of the provider that is name or above it, and v's own,
// which is asked about.
func (z *zone) usedFor(v saidValidation, name string) string {
	longest := ""
	for _, o := range z.validations {
		if fits := name == o.domain || strings.HasSuffix(name, "."+o.domain); o.provider == v.provider && fits && (o.usable() || o == v) && len(o.domain) > len(longest) {
			longest = o.domain
		}
	}
	return longest
}

// want returns what everybody should say of a validation.
func (z *zone) want(r *ruled, v saidValidation) answers {
	next, found := 0, false
	for i, c := range z.certificates {
		covered := c.provider == v.provider && slices.ContainsFunc(c.names, func(name string) bool { return z.usedFor(v, name) == v.domain })
		if covered && z.toRenew(i) && (!found || c.renewal < next) {
			next, found = c.renewal, true
		}
	}
	if !found {
		return answers{}
	}
	day := r.in(next).Format(time.DateOnly)
	a := answers{api: day}
	if v.kind != schema.DomainValidated {
		return a
	}
	a.clock = day
	if next > v.lapse || v.lapse < 0 {
		a.api, a.start = day+" lapses", day+" lapses"
		if v.lapse > 0 {
			a.page = day + " lapses"
		}
	}
	return a
}

// TestEverybodySaysTheSame: of any certificates and validations the start page, the domain's page, the API and the
// clock's notices say the same.
func TestEverybodySaysTheSame(t *testing.T) {
	t.Parallel()
	r := newRuled(t, time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		z := drawZone(t, fmt.Sprintf("zone%d.test", n))
		r.said(t, &z)
		h := r.hear(t)
		for _, v := range z.validations {
			got, want := r.answersOf(t, h, v.provider, v.domain), z.want(r, v)
			want.page = z.page(r, v.domain)
			if got != want {
				t.Fatalf("of %+v in\n%+v\nthey say %+v, want %+v", v, z, got, want)
			}
		}
	})
}

// page returns what the page of a domain should say of each CA's validation that lapses first.
func (z *zone) page(r *ruled, domain string) string {
	var lines []string
	for _, v := range z.validations {
		if line := z.want(r, v).page; v.domain == domain && line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}
