package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocumentation holds what the documents say of commands, settings and files against the program.
func TestDocumentation(t *testing.T) {
	root := filepath.Join("..", "..")
	readme := read(t, filepath.Join(root, "README.md"))
	if lines := strings.Count(readme, "\n"); lines > 150 {
		t.Errorf("the README has %d lines, want 150 at most", lines)
	}
	makefile := read(t, filepath.Join(root, "Makefile"))
	for _, m := range regexp.MustCompile(`make ([a-z]+)`).FindAllStringSubmatch(readme, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") && m[1] != "prints" && m[1] != "lists" {
			t.Errorf("the README names make %s, which the Makefile has not", m[1])
		}
	}
	known := &cobra.Command{}
	systems.AddSettings(known)
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z`, -]+`) \\|").FindAllStringSubmatch(section(readme, "## Settings"), -1) {
		for _, name := range strings.Split(row[1], ", ") {
			if name = strings.Trim(name, "`"); known.Flags().Lookup(name) == nil {
				t.Errorf("the README names the setting %s, which there is not", name)
			}
		}
	}
	for _, doc := range []string{"README.md", "docs/walk.md", "docs/subscribing.md", "docs/operating.md", "docs/past.md", "docs/asking.md", "docs/adding-a-provider.md", "docs/recipes.md", "docs/attention.md", "docs/glossary.md"} {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(read(t, filepath.Join(root, doc)), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}

// TestEveryFaultHasItsTest holds the table of faults against the tests that it names: there is one in each row.
func TestEveryFaultHasItsTest(t *testing.T) {
	root := filepath.Join("..", "..")
	var tests strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			tests.WriteString(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(section(read(t, filepath.Join(root, "docs", "operating.md")), "## Every fault")), "\n| ")
	if len(rows) < 30 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows[3:] {
		names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(row, -1)
		if len(names) == 0 {
			t.Errorf("no test holds certtrail to this: %s", row)
		}
		for _, name := range names {
			if !strings.Contains(tests.String(), "\nfunc "+name[1]+"(") {
				t.Errorf("there is no %s: %s", name[1], row)
			}
		}
	}
}

// packageNames matches what a document names of the code: package.Name, package.(*Type).method, package.Type.Method.
var packageNames = regexp.MustCompile("`([a-z]+)\\.(?:\\(\\*(\\w+)\\)\\.)?(\\w+)(?:\\.(\\w+))?`")

// TestDocumentsNameCode resolves the names of code in all documents: what a package of this project is said to have, it
// declares; a folder or file of the code is there.
func TestDocumentsNameCode(t *testing.T) {
	root := filepath.Join("..", "..")
	declared := declarations(t, root)
	paths := regexp.MustCompile("`((?:cmd|ingest|projections|schema|streams|web)/[a-z_/.-]+)`")
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, doc := range append(docs, filepath.Join(root, "README.md")) {
		text := read(t, doc)
		for _, m := range packageNames.FindAllStringSubmatch(text, -1) {
			names, ours := declared[m[1]]
			if !ours || slices.Contains([]string{"go", "txt", "now", "yaml"}, m[3]) { // a file
				continue
			}
			for _, name := range m[2:] {
				if named++; name != "" && !names[name] {
					t.Errorf("%s: %s names %s, which package %s does not declare", filepath.Base(doc), m[0], name, m[1])
				}
			}
		}
		for _, m := range paths.FindAllStringSubmatch(text, -1) {
			named++
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s: %v", filepath.Base(doc), m[1], err)
			}
		}
	}
	if named < 100 {
		t.Errorf("the documents name %d things of the code", named)
	}
}

// declarations returns the names that each package declares, by the package's name: types, functions, methods, values and
// fields.
func declarations(t *testing.T, root string) map[string]map[string]bool {
	t.Helper()
	declared := map[string]map[string]bool{}
	name := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |const |var |\t)(\w+)\b`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		folder := filepath.Base(filepath.Dir(path))
		if declared[folder] == nil {
			declared[folder] = map[string]bool{}
		}
		for _, m := range name.FindAllStringSubmatch(read(t, path), -1) {
			declared[folder][m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return declared
}

func section(text, heading string) string {
	_, rest, _ := strings.Cut(text, heading)
	before, _, _ := strings.Cut(rest, "\n## ")
	return before
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
