package streams_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestBlocksSayWhatTheServerSays reads parts of a log of several blocks, with events that are larger than what is read
// at once, out of its files and from the server.
func TestBlocksSayWhatTheServerSays(t *testing.T) {
	const n = 300
	dir := t.TempDir()
	l := openLog(t, embedded.Options{Dir: dir})
	list := make([]streams.Raw, n)
	for i := range list {
		size := 100 + i*i%90_000
		if i%100 == 50 {
			size = 2<<20 + i
		}
		list[i] = streams.Raw{ID: fmt.Sprint(i), Subject: "certs.order.issued.digicert." + fmt.Sprint(i), Data: bytes.Repeat([]byte{'a' + byte(i%26)}, size)}
	}
	if done, err := l.AppendAll(context.Background(), list); done != n || err != nil {
		t.Fatal(done, err)
	}
	if _, err := l.Append(context.Background(), streamstest.Event(1)); err != nil {
		t.Fatal(err)
	}
	if blocks := blockFiles(t, dir); len(blocks) < 2 {
		t.Fatal("the log has one block only", blocks)
	}
	// The server's last messages may come from the tail, which has the time of their publishing.
	for _, part := range [][2]uint64{{0, n + 1}, {0, 1}, {50, 51}, {49, 52}, {n - 1, n + 1}, {n, n + 1}, {137, 251}} {
		var files, served []schema.Record
		if err := l.ReadFiles(t.Context(), part[0], part[1], into(&files)); err != nil {
			t.Fatal(part, err)
		}
		if err := l.ReadServed(t.Context(), part[0], part[1], into(&served)); err != nil {
			t.Fatal(part, err)
		}
		if len(files) != int(part[1]-part[0]) || len(served) != len(files) {
			t.Fatalf("%d: the files have %d events, the server %d", part, len(files), len(served))
		}
		for i, f := range files {
			s := served[i]
			if f.Seq != s.Seq || f.Missing != 0 || f.Subject != s.Subject || f.Time.Sub(s.Time).Abs() > time.Second || !bytes.Equal(f.Data, s.Data) {
				t.Fatalf("event %d is another in the files", s.Seq)
			}
		}
	}
}

// blockFiles returns the files below dir that the server keeps events in.
func blockFiles(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".blk" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func into(list *[]schema.Record) func([]schema.Record) error {
	return func(records []schema.Record) error {
		*list = append(*list, records...)
		return nil
	}
}

// TestDamagedBlocksAreLeftToTheServer flips a bit of one event under an open log: the files are read up to it, and the
// rest as the server has it.
func TestDamagedBlocksAreLeftToTheServer(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, embedded.Options{Dir: dir})
	streamstest.Append(t, l, 20)
	streamstest.Damage(t, dir, `"order_id":"6"`)
	var files, all []schema.Record
	if err := l.ReadFiles(t.Context(), 0, 20, into(&files)); !errors.Is(err, streams.ErrUnclear) || len(files) != 6 {
		t.Errorf("the files have %d events, %v", len(files), err)
	}
	if err := l.Read(t.Context(), 0, 20, into(&all)); err != nil || len(all) < 19 || all[len(all)-1].Seq != 20 {
		t.Errorf("the log has %d events, %v", len(all), err)
	}
}
