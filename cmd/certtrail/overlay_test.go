package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// projectRoot returns the project's directory.
func projectRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// buildWith builds the program into dir with other files in the place of some, by their whole names, and returns its
// name. It has the race detector where the test has it: the packages it shares with the test are compiled already.
func buildWith(t *testing.T, dir string, replaced map[string]string) string {
	t.Helper()
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	overlaid, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "certtrail-changed")
	if err := os.WriteFile(overlaid, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := []string{"build", "-overlay", overlaid, "-o", program}
	race := debug.BuildSetting{Key: "-race", Value: "true"}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, race) {
		build = append(build, "-race")
	}
	cmd := exec.Command("go", append(build, "./cmd/certtrail")...)
	cmd.Dir = projectRoot(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
