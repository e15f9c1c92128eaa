package lifecycle

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// TestNameSets: certificates are for the same names, in whatever order, number and spelling they stand, exactly if
// their sets are the same.
func TestNameSets(t *testing.T) {
	names := []string{"a.example", "b.example", "*.a.example", "xn--bcher-kva.example", "www.a.example"}
	spellings := map[string]string{"a.example": "A.Example", "b.example": "b.example.", "*.a.example": "*.A.example",
		"xn--bcher-kva.example": "bücher.example", "www.a.example": " www.a.example"}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) (Certificate, []string) {
			chosen := rapid.SliceOfN(rapid.SampledFrom(names), 1, 6).Draw(t, label)
			c := Certificate{}
			for _, name := range chosen {
				if rapid.Bool().Draw(t, label+" spelt otherwise") {
					name = spellings[name]
				}
				c.Cert.DNSNames = append(c.Cert.DNSNames, name)
			}
			if rapid.Bool().Draw(t, label+" with a common name") {
				c.Cert.CommonName = rapid.SampledFrom(c.Cert.DNSNames).Draw(t, label+"'s common name")
			}
			slices.Sort(chosen)
			return c, slices.Compact(chosen)
		}
		a, of := draw("one")
		b, others := draw("another")
		before := slices.Clone(a.Cert.DNSNames)
		if same := slices.Equal(of, others); (a.NameSet() == b.NameSet()) != same {
			t.Fatalf("%q and %q: the same set is %v", a.Cert.DNSNames, b.Cert.DNSNames, !same)
		}
		if !slices.Equal(before, a.Cert.DNSNames) {
			t.Fatalf("the names were %q, and are %q", before, a.Cert.DNSNames)
		}
		for _, name := range a.Cert.DNSNames {
			want := normal(name)
			if isNormal(name) && want != name || strings.ToLower(strings.TrimSpace(want)) != want {
				t.Fatalf("%q is written %q", name, want)
			}
		}
	})
	if got := (Certificate{Cert: schema.Certificate{DNSNames: []string{"", " "}}}).NameSet(); got != "" {
		t.Errorf("no name at all has the set %q", got)
	}
}
