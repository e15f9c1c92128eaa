package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
)

// TestMovingHouse moves a random history of all providers to another directory, by export and import and by backup and
// restore, and builds the read models there: every table has the digest that it has at home.
func TestMovingHouse(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	home, there, restored := t.TempDir(), t.TempDir(), t.TempDir()
	remember(t, home, seed, 4_000)
	file, backup := filepath.Join(t.TempDir(), "events.jsonl"), filepath.Join(t.TempDir(), "backup")
	runCommand(t, "replay", "--data-dir", home)
	want := runCommand(t, "replay", "--verify", "--data-dir", home)

	runCommand(t, "export", "--data-dir", home, file)
	runCommand(t, "import", "--data-dir", there, file)
	runCommand(t, "import", "--data-dir", there, file)
	runCommand(t, "replay", "--data-dir", there)
	if got := runCommand(t, "replay", "--verify", "--data-dir", there); got != want {
		t.Errorf("after an export and an import it is\n%s\nand at home\n%s", got, want)
	}

	runCommand(t, "backup", "--data-dir", home, backup)
	runCommand(t, "restore", "--data-dir", restored, backup)
	runCommand(t, "replay", "--data-dir", restored)
	if got := runCommand(t, "replay", "--verify", "--data-dir", restored); got != want {
		t.Errorf("after a backup and a restore it is\n%s\nand at home\n%s", got, want)
	}
}

// remember fills the log of a data directory with n events of a random history.
func remember(t *testing.T, dir string, seed uint64, n int) {
	t.Helper()
	log, err := embedded.Open(context.Background(), embedded.Options{Dir: node.LogDir(dir), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var events []streams.Raw
	for _, r := range projectionstest.RandomHistory(seed, n+n/100) {
		if e, err := schema.Decode(r.Data); err == nil && len(events) < n { // an export holds events, and nothing else
			events = append(events, streams.Raw{ID: e.ID, Subject: r.Subject, Data: r.Data})
		}
	}
	for part := range slices.Chunk(events, 5000) {
		if _, err := log.AppendAll(context.Background(), part); err != nil {
			t.Fatal(err)
		}
	}
}

// runCommand runs a command, which must succeed, and returns what it prints.
func runCommand(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := program("", args...)
	if err != nil {
		t.Fatalf("certtrail %q: %v\n%s%s", args, err, stdout, stderr)
	}
	return stdout
}
