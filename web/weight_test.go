package web_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// TestScriptsAreSmall holds what a browser runs to 15 KB, compressed.
func TestScriptsAreSmall(t *testing.T) {
	files, err := filepath.Glob("static/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var compressed bytes.Buffer
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := gzip.NewWriter(&compressed) // each on its own, as they are sent
		w.Write(b)
		w.Close()
	}
	if compressed.Len() > 15_000 {
		t.Errorf("the scripts are %d bytes compressed, want at most 15,000", compressed.Len())
	}
}

// TestPagesAreLight holds every page, its lists full, to 100 KB.
func TestPagesAreLight(t *testing.T) {
	s, l := world(plain)
	fill(&s.orders)
	fill(&s.certificates)
	fill(&s.domains)
	fill(&s.dnssecs)
	fill(&s.organizations)
	fill(&s.websites)
	fill(&s.users)
	fill(&s.targets)
	fill(&s.scans)
	fill(&s.findings)
	h := handler(t, options(s, l))
	for _, path := range append(pagesOfLists, "/", "/system", "/events", "/orders/xolphin/960770001", "/certificates/xolphin/881002", "/dnssec/sectigo/42") {
		if n := get(h, path).Body.Len(); n > 100_000 {
			t.Errorf("%s is %d bytes, want at most 100,000", path, n)
		}
	}
}

// fill repeats what there is until a list has more than one page of it.
func fill[T any](rows *[]T) {
	for n := len(*rows); n > 0 && len(*rows) <= 100; {
		*rows = append(*rows, (*rows)[len(*rows)-n])
	}
}
