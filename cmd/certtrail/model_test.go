package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What may be changed, beside its own files, for a new read model with a list, a page, downloads, API and search; and
// for a new field of one.
const (
	filesOfAModel  = 6
	placesOfAField = 4
)

// TestNewReadModel builds the program with one more read model, and one more field of another, and drives it: the two
// are in the API, the pages, the downloads and the search, and a verification finds the tables to be what the log
// gives.
func TestNewReadModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := buildWithModel(t, dir)
	data, environment := filepath.Join(dir, "data"), append(os.Environ(), testEnvironment()...)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(program, append(args, "--data-dir", data)...)
		cmd.Dir, cmd.Env = dir, environment
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	w, err := launchAs(program, dir, environment, "--data-dir", data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	run("send", "digicert", "order_rejected", "--set", "order_id=424242")
	run("send", "digicert", "order_rejected", "--set", "order_id=424242")
	w.until(t, "/rejections/digicert/424242", func(r map[string]any) bool {
		return r["times"] == 2.0 && r["state"] == "rejected" && r["event_count"] == 2.0 && len(r["timeline"].([]any)) == 2
	})
	w.until(t, "/rejections/digicert/424242?at_seq=1", func(r map[string]any) bool { return r["times"] == 1.0 && r["as_of_seq"] == 1.0 })
	w.until(t, "/orders/digicert/424242", func(o map[string]any) bool { return o["last_source"] == "/hooks/digicert" })
	for path, want := range map[string]string{
		"/api/v1/rejections?q=424242&state=rejected": `"times":2`,
		"/rejections":                  `href="/rejections/digicert/424242"`,
		"/rejections/digicert/424242":  "Rejected 2 times",
		"/rejections.csv":              "provider,id,state,times,reason,last_event_at\ndigicert,424242,rejected,2,",
		"/rejections.json?sort=-id":    `"id":"424242"`,
		"/search?q=424242":             `href="/rejections/digicert/424242"`,
		"/orders/digicert/424242":      "/hooks/digicert</dd>",
		"/orders.csv":                  ",state_since,last_source,first_event_at",
		"/api/v1/rejections?sort=what": "only by last_event_at, id, provider",
	} {
		if _, page, err := fetch(w.web + path); err != nil || !strings.Contains(string(page), want) {
			t.Errorf("%s lacks %s (%v):\n%.2000s", path, want, err, page)
		}
	}
	if out := run("replay", "--verify"); !strings.Contains(out, "rejections") {
		t.Errorf("replay --verify says %s", out)
	}
}

// buildWithModel builds the program with the read model and the field in it.
func buildWithModel(t *testing.T, dir string) string {
	t.Helper()
	root := projectRoot(t)
	replaced, own := map[string]string{}, filepath.Join(root, "cmd/certtrail/testdata/model/own")
	if err := filepath.WalkDir(own, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			replaced[filepath.Join(root, strings.TrimPrefix(path, own))] = path
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int{"model": filesOfAModel, "field": placesOfAField} {
		text, err := os.ReadFile(filepath.Join(root, "cmd/certtrail/testdata/model", name+".edits"))
		if err != nil {
			t.Fatal(err)
		}
		edits := strings.Split("\n"+string(text), "\n-- ")[1:]
		if len(edits) == 0 || len(edits) > most {
			t.Errorf("a new %s changes %d files, and may change %d", name, len(edits), most)
		}
		for _, edit := range edits {
			path, changes, _ := strings.Cut(edit, " --\n")
			path = filepath.Join(root, path)
			before := path
			if earlier, ok := replaced[path]; ok {
				before = earlier
			}
			after := filepath.Join(dir, name+"-"+strings.ReplaceAll(strings.TrimPrefix(path, root), "/", "-"))
			replaced[path] = edited(t, before, after, changes)
		}
	}
	return buildWith(t, dir, replaced)
}

// edited writes to the file after what the changes make of the file before, and returns its name: lines are inserted
// after each that an @ names.
func edited(t *testing.T, before, after, changes string) string {
	t.Helper()
	source, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, change := range strings.Split("\n"+changes, "\n@")[1:] {
		anchor, inserted, _ := strings.Cut(change, "\n")
		if anchor += "\n"; strings.Count(text, "\n"+anchor) != 1 {
			t.Fatalf("%s has the line %q %d times", before, anchor, strings.Count(text, "\n"+anchor))
		}
		text = strings.Replace(text, "\n"+anchor, "\n"+anchor+strings.TrimSuffix(inserted, "\n")+"\n", 1)
	}
	if err := os.WriteFile(after, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return after
}
