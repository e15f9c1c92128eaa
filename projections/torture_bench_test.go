package projections

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The torture takes minutes: make torture runs it, make bench does not.

// BenchmarkTortureLists compares every filter in every order with what one finds by looking at every row.
func BenchmarkTortureLists(b *testing.B) {
	for b.Loop() {
		everyList(b, 1)
	}
}

// BenchmarkTortureRebuild rebuilds twenty times while events arrive and rows are read.
func BenchmarkTortureRebuild(b *testing.B) {
	for b.Loop() {
		rebuildOften(b, 20)
	}
}

// someChecks runs rapid.Check on a property whose every check opens databases: with fewer of them than rapid makes by
// itself, unless -rapid.checks asks for a number, as make torture does.
func someChecks(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	const name = "rapid.checks"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if checks := flag.Lookup(name); !given {
		usual := checks.Value.String()
		if err := checks.Value.Set(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
		defer checks.Value.Set(usual)
	}
	rapid.Check(t, property)
}
