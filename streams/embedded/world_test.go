package embedded

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// copyTree copies a closed log with what is known of it.
func copyTree(t testing.TB, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "nats")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{layout{from}.end(), layout{from}.losses()} {
		if b, err := os.ReadFile(mark); err == nil {
			if err := os.WriteFile(strings.Replace(mark, from, to, 1), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

// closedLog makes the directory of a closed log of n events in several blocks.
func closedLog(t testing.TB, n int) (dir string, ids map[uint64]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "nats")
	l := openLog(t, Options{Dir: dir, MaxBytes: 24 << 20}) // the server then makes small blocks
	list := make([]streams.Raw, n)
	for i := range list {
		e := streamstest.Event(i)
		e.Data.Reason = strings.Repeat("x", 4*n)
		data, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		list[i] = streams.Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data}
	}
	if done, err := l.AppendAll(t.Context(), list); done != n || err != nil {
		t.Fatal(done, err)
	}
	l.Close()
	ids = map[uint64]string{}
	for i := range list {
		ids[uint64(i+1)] = list[i].ID
	}
	return dir, ids
}

func raw(t testing.TB, l *Log) map[uint64]string {
	t.Helper()
	got := map[uint64]string{}
	err := l.Read(t.Context(), 0, 1<<40, func(records []schema.Record) error {
		for _, r := range records {
			e, err := schema.Decode(r.Data)
			if err != nil {
				return err
			}
			got[r.Seq] = e.ID
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// lostOf returns the sequences of all that has lacks.
func lostOf(all, has map[uint64]string) (list schema.Gaps) {
	for _, seq := range slices.Sorted(maps.Keys(all)) {
		if has[seq] != all[seq] {
			list = list.And(schema.Gap{First: seq, Last: seq})
		}
	}
	return list
}

func blockPaths(t testing.TB, dir string) []string {
	t.Helper()
	files := &blockFiles{dir: layout{dir}.blocks()}
	numbers, err := files.numbers()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, n := range numbers {
		paths = append(paths, files.path(n))
	}
	return paths
}

// offsets returns where the events of a sound block begin, and where the last one ends.
func offsets(t testing.TB, path string) []int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	number, _ := blocks.Number(filepath.Base(path))
	list := []int{0}
	s, err := blocks.Scan(number, content, func(r *blocks.Record) { list = append(list, list[len(list)-1]+r.Length) })
	if err != nil || !s.Whole() {
		t.Fatalf("%s is not sound, %v", path, err)
	}
	return list
}

func flip(t testing.TB, path string, at int, bit byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= bit
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
