package words

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// update writes what all of it says: go test ./projections/words -update. Nothing that is stored depends on it, so that
// it may change at any time.
var update = flag.Bool("update", false, "write what is said of every frozen event and matter")

const golden = "testdata/words.txt"

// TestWords holds the sentence of every event that was ever written, in both styles where they differ, and those of
// every matter against the file.
func TestWords(t *testing.T) {
	var b strings.Builder
	for name, e := range frozen(t) {
		fmt.Fprintf(&b, "%s: %s\n", name, Event(e, ForPeople))
		if programs := Event(e, ForPrograms); programs != Event(e, ForPeople) {
			fmt.Fprintf(&b, "  for programs: %s\n", programs)
		}
	}
	for _, field := range append(lifecycle.Fields(), lifecycle.CheckField(schema.CheckPhone), lifecycle.ReasonField(schema.DomainCheck("a.example"))) {
		fmt.Fprintf(&b, "field %s: %s\n", field, Label(field))
	}
	all := matters()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := all[name]
		text := Matter(&m, "DigiCert")
		fmt.Fprintf(&b, "matter, %s: %s\n  %s\n  %s\n  %s\n", name, text.Title, text.Detail, cmp.Or(text.Means, "-"), text.Do)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		if i >= len(got) || i >= len(wanted) || got[i] != wanted[i] {
			t.Fatalf("line %d of %s is other: if that is meant, write it with -update\n got %s\nwant %s", i+1, golden, got[min(i, len(got)-1)], wanted[min(i, len(wanted)-1)])
		}
	}
}

// frozen yields every event that was ever written, by the names of their files.
func frozen(t *testing.T) func(yield func(string, *schema.Event) bool) {
	t.Helper()
	files, err := filepath.Glob("../../schema/testdata/events/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d frozen events (%v)", len(files), err)
	}
	return func(yield func(string, *schema.Event) bool) {
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, wire, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
			e, err := schema.Decode([]byte(wire))
			if err != nil {
				t.Fatal(err)
			}
			if !yield(strings.TrimSuffix(filepath.Base(file), ".json"), e) {
				return
			}
		}
	}
}
