// Package house holds the code to the limits of its layout.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// The limits of the house. A room that outgrows one wants a door, not a larger limit.
const (
	packageLines  = 3_800 // of a package, without its tests
	packageFiles  = 32    // of a package, without its tests
	mainLines     = 1_600 // of package main, without its tests
	fileLines     = 400
	functionLines = 70
	lineColumns   = 120
	tabColumns    = 4

	longLines    = 0.04 // of all lines, at most; 0.015 is wanted
	definingDocs = 0.25 // of the doc comments that begin with their name, at most: "X is …", "X are …"
	testsToCode  = 0.72 // lines of tests to lines of code, at least; 0.75 is wanted
)

// crowded holds the rooms that have outgrown the limits and may grow no further: lines and files.
var crowded = map[string]struct{ lines, files int }{
	"projections": {8_740, 63},
	"web":         {5_140, 45},
}

// source holds one Go file of the project.
type source struct {
	path  string // from the project's root
	lines []string
	file  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources reads every Go file of the project but those of testdata.
func sources(t *testing.T) (files []source, set *token.FileSet) {
	t.Helper()
	files, err := readSources()
	if err != nil || len(files) < 100 {
		t.Fatalf("%d Go files (%v)", len(files), err)
	}
	return files, fileSet
}

var fileSet = token.NewFileSet()

var readSources = sync.OnceValues(func() (files []source, err error) {
	root := filepath.Join("..", "..", "..", "..")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fileSet, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files = append(files, source{filepath.ToSlash(name), strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), file})
		return err
	})
	return files, err
})

func TestPackagesAreRooms(t *testing.T) {
	files, _ := sources(t)
	lines, count := map[string]int{}, map[string]int{}
	for _, s := range files {
		if len(s.lines) > fileLines {
			t.Errorf("%s has %d lines, more than %d: which room is missing?", s.path, len(s.lines), fileLines)
		}
		if !s.isTest() {
			dir := filepath.ToSlash(filepath.Dir(s.path))
			lines[dir] += len(s.lines)
			count[dir]++
		}
	}
	for dir, n := range lines {
		most, mostFiles := packageLines, packageFiles
		if dir == "cmd/certtrail" {
			most = mainLines
		}
		if room, ok := crowded[dir]; ok {
			most, mostFiles = room.lines, room.files
		}
		if n > most {
			t.Errorf("package %s has %d lines, more than %d", dir, n, most)
		}
		if count[dir] > mostFiles {
			t.Errorf("package %s has %d files, more than %d", dir, count[dir], mostFiles)
		}
	}
}

// TestFunctionsAreShort measures bodies; one whose statements are a single return or declaration of a literal is a table.
func TestFunctionsAreShort(t *testing.T) {
	files, set := sources(t)
	for _, s := range files {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			from, to := set.Position(f.Pos()).Line, set.Position(f.End()).Line
			if n := to - from + 1; n > functionLines && !isTable(f.Body, set, functionLines) {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, f.Name.Name, n, functionLines)
			}
		}
	}
}

// isTable tells whether a body is short but for one composite literal or one switch of single lines.
func isTable(body *ast.BlockStmt, set *token.FileSet, most int) bool {
	lines := func(n ast.Node) int { return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1 }
	rest := lines(body)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			rest -= lines(n) - 1
			return false
		case *ast.SwitchStmt:
			if lines(n.Body) <= 2*len(n.Body.List)+2 {
				rest -= lines(n) - 1
				return false
			}
		}
		return true
	})
	return rest <= most
}

func TestLinesFitTheScreen(t *testing.T) {
	files, _ := sources(t)
	all, long := 0, 0
	worst := map[string]int{}
	for _, s := range files {
		all += len(s.lines)
		for _, line := range s.lines {
			if columns(line) > lineColumns {
				long++
				worst[s.path]++
			}
		}
	}
	if share := float64(long) / float64(all); share > longLines {
		t.Errorf("%d of %d lines are longer than %d columns, %.1f %%; at most %.1f %% may be", long, all, lineColumns, 100*share, 100*longLines)
		for path, n := range worst {
			if n > 20 {
				t.Logf("%s: %d", path, n)
			}
		}
	}
}

// columns counts the columns that a line takes on a screen.
func columns(line string) int {
	tabs := len(line) - len(strings.TrimLeft(line, "\t"))
	return utf8.RuneCountInString(line) + tabs*(tabColumns-1)
}

var (
	defining = regexp.MustCompile(`^\w+ (is|are) `)
	// roundabout finds comments that name a thing by a clause: "limits is what …".
	roundabout = regexp.MustCompile(`^\w+ (is|are) (what|how|where|whether|who|whose|when|those (that|of)|that which)\b`)
)

// TestDocCommentsSayWhatAThingDoes reads the first sentence of each doc comment.
func TestDocCommentsSayWhatAThingDoes(t *testing.T) {
	files, set := sources(t)
	all, define := 0, 0
	for _, s := range files {
		for name, doc := range docs(s.file) {
			text := doc.Text()
			if !strings.HasPrefix(text, name+" ") {
				continue
			}
			all++
			if defining.MatchString(text) {
				define++
			}
			if roundabout.MatchString(text) {
				first, _, _ := strings.Cut(text, "\n")
				t.Errorf("%s:%d: %q: begin with the verb that says what it does, or with a noun", s.path, set.Position(doc.Pos()).Line, first)
			}
		}
	}
	if share := float64(define) / float64(all); share > definingDocs {
		t.Errorf("%d of %d doc comments begin \"X is\" or \"X are\", %.0f %%; at most %.0f %% may", define, all, 100*share, 100*definingDocs)
	}
}

// docs yields the doc comment of each package-level name and method of a file.
func docs(file *ast.File) func(yield func(string, *ast.CommentGroup) bool) {
	return func(yield func(string, *ast.CommentGroup) bool) {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Doc != nil && !yield(d.Name.Name, d.Doc) {
					return
				}
			case *ast.GenDecl:
				if !specDocs(d, yield) {
					return
				}
			}
		}
	}
}

func specDocs(d *ast.GenDecl, yield func(string, *ast.CommentGroup) bool) bool {
	for _, spec := range d.Specs {
		var name string
		var doc *ast.CommentGroup
		switch s := spec.(type) {
		case *ast.TypeSpec:
			name, doc = s.Name.Name, s.Doc
		case *ast.ValueSpec:
			name, doc = s.Names[0].Name, s.Doc
		}
		if doc == nil && len(d.Specs) == 1 {
			doc = d.Doc
		}
		if doc != nil && !yield(name, doc) {
			return false
		}
	}
	return true
}

func TestTestsWeighEnough(t *testing.T) {
	files, _ := sources(t)
	code, tests := 0, 0
	for _, s := range files {
		if s.isTest() {
			tests += len(s.lines)
		} else {
			code += len(s.lines)
		}
	}
	t.Logf("%d lines of code, %d of tests", code, tests)
	if ratio := float64(tests) / float64(code); ratio < testsToCode {
		t.Errorf("%d lines of tests to %d of code, %.2f; at least %.2f", tests, code, ratio, testsToCode)
	}
}
