// Package streamstest fills and reads logs for tests, whoever runs their server.
package streamstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// Log has what the functions here need of a log.
type Log interface {
	Append(ctx context.Context, e *schema.Event) (uint64, error)
	Reader(name string) *streams.Reader
}

// Event returns a new event of the order n.
func Event(n int) *schema.Event {
	id := uuid.Must(uuid.NewV7()).String()
	return schema.New(id, "/hooks/digicert", schema.At(time.Now()), schema.OrderIssued, schema.Data{Provider: "digicert", Event: "certificate_issued", OrderID: fmt.Sprint(n)})
}

// Append appends n events, of the orders from 0 on.
func Append(t testing.TB, l Log, n int) {
	t.Helper()
	for i := range n {
		if _, err := l.Append(context.Background(), Event(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// Read returns the events after a sequence that a reader is given until it has seen `until`.
func Read(t testing.TB, l Log, after, until uint64) []schema.Record {
	t.Helper()
	var got []schema.Record
	done := errors.New("done")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := l.Reader("tail").Follow(ctx, after, func(records []schema.Record) error {
		got = append(got, records...)
		if got[len(got)-1].Seq >= until {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatalf("Follow after %d: %v, with %d records", after, err, len(got))
	}
	return got
}

// Raws returns n events as they shall stand in a log, of the orders from `from` on.
func Raws(t testing.TB, from, n int) []streams.Raw {
	t.Helper()
	list := make([]streams.Raw, n)
	for i := range list {
		list[i] = Raw(t, from+i, 500)
	}
	return list
}

// Raw returns an event of the order n as it shall stand in a log, with a text of so many bytes in it.
func Raw(t testing.TB, n, size int) streams.Raw {
	t.Helper()
	e := Event(n)
	e.Data.Reason = strings.Repeat("x", size)
	data, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return streams.Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data}
}

// Damage flips a bit of the first event in the closed log in dir that contains a word, for each of the words.
func Damage(t testing.TB, dir string, words ...string) {
	t.Helper()
	left := words
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".blk" {
			return err
		}
		block, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var elsewhere []string
		for _, word := range left {
			if at := bytes.Index(block, []byte(word)); at >= 0 {
				block[at+len(word)-1] ^= 1
			} else {
				elsewhere = append(elsewhere, word)
			}
		}
		left = elsewhere
		return os.WriteFile(path, block, 0o600)
	})
	if err != nil || len(left) > 0 {
		t.Fatalf("%v are in no block below %s, %v", left, dir, err)
	}
}
