package projections

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestWritingBehind runs statements behind: a result knows of all before it, and what goes wrong is told, once and for
// all that follows.
func TestWritingBehind(t *testing.T) {
	db, err := openDatabase(dsn(filepath.Join(t.TempDir(), "behind.db"), "mode=rwc"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.exec(context.Background(), "CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT"); err != nil {
		t.Fatal(err)
	}
	add, err := db.inserter("numbers (n)", 1)
	if err != nil {
		t.Fatal(err)
	}
	count, err := db.prepare("SELECT count(*), max(n) FROM numbers")
	if err != nil {
		t.Fatal(err)
	}
	db.writeBehind()
	const n = jobsBehind * atOnce
	for i := range n {
		if err := add.add(int64(i)); err != nil {
			t.Fatal(err)
		}
		if (i+1)%(n/4) != 0 {
			continue
		}
		var rows, last int
		if err := add.flush(); err != nil {
			t.Fatal(err)
		}
		if err := count.row([]any{&rows, &last}); err != nil || rows != i+1 || last != i {
			t.Fatalf("after %d rows there are %d, the last is %d, %v", i+1, rows, last, err)
		}
	}
	if err := add.add(int64(0)); err != nil {
		t.Fatal(err)
	}
	if err := add.flush(); err != nil {
		t.Fatal(err)
	}
	err = db.caughtUp()
	const want = "UNIQUE constraint failed"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a row twice: %v", err)
	}
	var rows int
	if err := count.row([]any{&rows, &rows}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a result after that: %v", err)
	}
	if err := add.one.run(int64(n + 1)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("another row after that: %v", err)
	}
	if err := db.close(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the end: %v", err)
	}
}
