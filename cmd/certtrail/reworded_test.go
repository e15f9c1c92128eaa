package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// extra, a letter, ends every changed sentence.
const extra = "ʘ"

// TestWordsChangeNoTable builds the program with a letter more in every sentence of projections/words. It takes the
// read models that the program made as they are, finds them to be what the log gives, says what they hold in its own
// words, and makes none that the program would not have made.
func TestWordsChangeNoTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changed := buildReworded(t, dir)
	data := filepath.Join(dir, "data")
	environment := append(os.Environ(), testEnvironment()...)
	w, err := launch(dir, environment, "--data-dir", data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.end() })
	program := w.cmd.Path
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, append(args, "--data-dir", data)...)
		cmd.Dir, cmd.Env = dir, environment
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", filepath.Base(program), args, err, out)
		}
		return string(out)
	}
	run(program, "send", "digicert", "certificate_issued", "--set", "order_id=77")
	run(program, "send", "digicert", "domain_validated")
	run(program, "send", "xolphin", "Updated-Phone")
	run(program, "send", "defguard", "user_keys")
	run(program, "send", "probely", "scan_completed")
	w.caughtUp(t)
	before := summaries(t, w, "/orders/digicert/77")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}

	const sound = "The read models are what the log gives"
	proof := run(program, "replay", "--verify")
	if again := run(changed, "replay", "--verify"); !strings.Contains(again, sound) || digests(again) != digests(proof) {
		t.Errorf("in other words the read models are not what the log gives:\n%s\nbut\n%s", proof, again)
	}
	if w, err = launchAs(changed, dir, environment, "--data-dir", data); err != nil {
		t.Fatal(err)
	}
	w.caughtUp(t)
	if after := summaries(t, w, "/orders/digicert/77"); after == before || strings.ReplaceAll(after, extra, "") != before {
		t.Errorf("the summaries were\n%s, and are\n%s", before, after)
	}
	if status, page, err := fetch(w.web + "/orders/digicert/77"); err != nil || status != 200 || !strings.Contains(string(page), extra) {
		t.Errorf("the page does not speak in other words: %d %v", status, err)
	}
	if strings.Contains(w.log.String(), "rebuil") {
		t.Errorf("other words had the read models rebuilt:\n%s", w.log.String())
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	run(changed, "replay")
	if again := run(program, "replay", "--verify"); !strings.Contains(again, sound) || digests(again) != digests(proof) {
		t.Errorf("folded by the other program the read models are others:\n%s", again)
	}
}

// summaries returns those of a row's timeline.
func summaries(t *testing.T, w *world, path string) string {
	t.Helper()
	_, body, err := fetch(w.web + "/api/v1" + path)
	var row struct{ Timeline []struct{ Summary string } }
	if err != nil || json.Unmarshal(body, &row) != nil || len(row.Timeline) == 0 {
		t.Fatalf("%s: %v %s", path, err, body)
	}
	return fmt.Sprint(row.Timeline)
}

// digests returns the lines of a proof that bear the tables' digests.
func digests(proof string) string {
	var lines []string
	for line := range strings.Lines(proof) {
		if strings.Contains(line, "sha256") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// buildReworded builds the program with a letter more in every sentence.
func buildReworded(t *testing.T, dir string) string {
	t.Helper()
	root := projectRoot(t)
	files, err := filepath.Glob(filepath.Join(root, "projections", "words", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	replace, count := map[string]string{}, 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, n := reword(t, file)
		replace[file] = filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(replace[file], text, 0o600); err != nil {
			t.Fatal(err)
		}
		count += n
	}
	if count < 200 {
		t.Fatalf("only %d sentences were found to change", count)
	}
	return buildWith(t, dir, replace)
}

// reword returns a file of package words with a letter more in every text, and how many those are. Exported constants
// are codes and stay. No text may be what something is compared with, looked up by or cut at: then it would be a code,
// or a sentence would be read back.
func reword(t *testing.T, file string) (text []byte, changed int) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	key := func(n ast.Expr) {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && isText(l) {
			t.Errorf("%s: the word %s is used as a code", set.Position(l.Pos()), l.Value)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.GenDecl:
			if n.Tok == token.CONST && n.Specs[0].(*ast.ValueSpec).Names[0].IsExported() {
				return false
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				key(e)
			}
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				key(n.X)
				key(n.Y)
			}
		case *ast.IndexExpr:
			key(n.Index)
		case *ast.KeyValueExpr:
			key(n.Key)
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && fmt.Sprint(s.X) == "strings" && s.Sel.Name != "Join" && s.Sel.Name != "Trim" {
				for _, e := range n.Args {
					key(e)
				}
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && isText(n) {
				value, _ := strconv.Unquote(n.Value)
				n.Value = strconv.Quote(value + extra)
				changed++
			}
		}
		return true
	})
	var b strings.Builder
	if err := format.Node(&b, set, f); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String()), changed
}

// isText reports whether a literal has words in it, which a separator has not.
func isText(l *ast.BasicLit) bool {
	value, err := strconv.Unquote(l.Value)
	return err == nil && strings.ContainsFunc(value, unicode.IsLetter)
}
