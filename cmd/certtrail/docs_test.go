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

// TestRecipesNameCode resolves what the recipes put in backticks: a folder of the code, or package.Name, which the
// package declares.
func TestRecipesNameCode(t *testing.T) {
	root := filepath.Join("..", "..")
	named := 0
	for _, m := range regexp.MustCompile("`([a-z/]+)(?:\\.([A-Z][A-Za-z]*))?`").FindAllStringSubmatch(read(t, filepath.Join(root, "docs", "recipes.md")), -1) {
		named++
		if m[2] == "" {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("the recipes name %s: %v", m[1], err)
			}
			continue
		}
		var files []string
		for _, parent := range []string{".", "ingest", "streams", "projections", "web"} {
			found, err := filepath.Glob(filepath.Join(root, parent, m[1], "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
		declared := regexp.MustCompile(`(?m)^(?:func |type |const |var |\t)` + m[2] + `\b`)
		if !slices.ContainsFunc(files, func(file string) bool { return declared.MatchString(read(t, file)) }) {
			t.Errorf("the recipes name %s.%s, which is not declared", m[1], m[2])
		}
	}
	if named < 10 {
		t.Errorf("the recipes name %d things of the code", named)
	}
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
