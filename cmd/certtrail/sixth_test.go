package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/cmd/certtrail/testdata/sixth/example"
	"github.com/certtrail/certtrail/ingest/ingesttest"
)

func TestSixthProviderKeepsThePromises(t *testing.T) {
	ingesttest.Run(t, example.System, func(string) string { return testToken })
}

// TestSixthProvider builds the program with one more folder under ingest, and one more entry in main.go with its
// import, and nothing else: its settings, its endpoint, its samples and its rows are there.
func TestSixthProvider(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := buildWithSixth(t, dir)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run("init"); !strings.Contains(out, "Example CA") || !strings.Contains(out, "/hooks/example\n  token: ") {
		t.Errorf("init says %s", out)
	}
	w, err := launchAs(program, dir, append(os.Environ(), testEnvironment()...), "--config", filepath.Join(dir, "certtrail.yaml"), "--data-dir", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	if out := run("send", "example", "issued", "--set", "order=77", "--data-dir", filepath.Join(dir, "data")); !strings.Contains(out, "took the delivery") {
		t.Errorf("send says %s", out)
	}
	w.until(t, "/orders/example/77", func(o map[string]any) bool { return o["state"] == "issued" && o["certificate_id"] == "8001" })
	if status, page, err := fetch(w.web + "/orders/example/77"); err != nil || status != 200 || !strings.Contains(string(page), "77") {
		t.Errorf("its page: %d %v", status, err)
	}
	if _, page, err := fetch(w.web + "/system"); err != nil || !strings.Contains(string(page), "Example CA") {
		t.Errorf("the system's page does not name it (%v)", err)
	}
}

// buildWithSixth builds the program with the sixth provider in it.
func buildWithSixth(t *testing.T, dir string) string {
	t.Helper()
	root := projectRoot(t)
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	const lastImport, lastEntry = "\t\"github.com/certtrail/certtrail/ingest/probely\"\n", "\tprobely.System,\n"
	if !strings.Contains(string(source), lastImport) || !strings.Contains(string(source), lastEntry) {
		t.Fatal("main.go has no list of systems that ends with Probely")
	}
	changed := strings.NewReplacer(lastImport, "\t\"github.com/certtrail/certtrail/ingest/example\"\n"+lastImport, lastEntry, lastEntry+"\texample.System,\n").Replace(string(source))
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return buildWith(t, dir, map[string]string{
		filepath.Join(root, "cmd/certtrail/main.go"):     main,
		filepath.Join(root, "ingest/example/example.go"): filepath.Join(root, "cmd/certtrail/testdata/sixth/example/example.go"),
	})
}
