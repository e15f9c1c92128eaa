package node

import (
	"slices"
	"strings"
	"testing"
)

func TestProvidersFillTheListsOfTheirEvents(t *testing.T) {
	want := map[string]string{
		"digicert": "certificates domains orders organizations", "sectigo": "certificates dnssec orders websites", "xolphin": "domains orders", "defguard": "users",
		"probely": "findings scans targets users",
	}
	for kind, models := range want {
		system, ok := systems.Of(kind)
		if !ok {
			t.Fatalf("no system %s", kind)
		}
		got := modelsFedBy(system)
		slices.Sort(got)
		if strings.Join(got, " ") != models {
			t.Errorf("%s fills %v, want %s", kind, got, models)
		}
	}
}
