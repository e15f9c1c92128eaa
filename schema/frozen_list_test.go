package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// update adds frozen events that are new to the list: go test ./schema -run Frozen -update. It changes no line that is
// there.
var update = flag.Bool("update", false, "add new frozen events to their list")

const frozenList = "testdata/events.sha256"

// TestFrozenEventsStayAsTheyAre holds every frozen event against the digest it had when it was added. Lines are added
// to the list, and never changed or taken out: the log holds such events for ever.
func TestFrozenEventsStayAsTheyAre(t *testing.T) {
	listed := readFrozenList(t)
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var added []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, sum := filepath.Base(file), sha256.Sum256(b)
		digest := hex.EncodeToString(sum[:])
		switch was := listed[name]; {
		case was == "" && *update:
			added = append(added, digest+"  "+name)
		case was == "":
			t.Errorf("%s is not in %s yet: add it with go test ./schema -run Frozen -update", name, frozenList)
		case was != digest:
			t.Errorf("%s was changed. The log holds such events for ever: put it back, and add the new form as another file", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("%s is gone. The log holds such events for ever: put it back", name)
	}
	if len(added) == 0 {
		return
	}
	f, err := os.OpenFile(frozenList, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, strings.Join(added, "\n")); err != nil {
		t.Fatal(err)
	}
}

func readFrozenList(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(frozenList)
	if err != nil && !*update {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for line := range strings.Lines(string(b)) {
		digest, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok || listed[name] != "" {
			t.Fatalf("%s has the line %q", frozenList, line)
		}
		listed[name] = digest
	}
	return listed
}

// unwritten lists the kinds that nothing writes yet. Once the first event of one is frozen, remove it from here.
var unwritten = []Kind{DomainValidationFailed}

// TestEveryKindIsFrozen: a kind that is added to kind.go comes with an event as it is first written.
func TestEveryKindIsFrozen(t *testing.T) {
	frozen := map[Kind]bool{}
	files, _ := filepath.Glob("testdata/events/*.json")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, wire, _ := strings.Cut(string(b), "\n")
		e, err := Decode([]byte(wire))
		if err != nil {
			t.Fatal(err)
		}
		frozen[e.Kind()] = true
	}
	kinds := kindConstants(t)
	for name, k := range kinds {
		if waits := slices.Contains(unwritten, k); frozen[k] == waits {
			t.Errorf("%s (%s): frozen is %v, and that it is not written yet is %v; want one of them", name, k, frozen[k], waits)
		}
	}
	if len(kinds) < 25 {
		t.Errorf("only %d kinds were found in kind.go: %v", len(kinds), slices.Collect(maps.Keys(kinds)))
	}
}

// kindConstants returns the constants of type Kind, by name.
func kindConstants(t *testing.T) map[string]Kind {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]Kind{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Kind" {
			return true
		}
		for i, name := range spec.Names {
			value, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds[name.Name] = Kind(value)
		}
		return true
	})
	return kinds
}
