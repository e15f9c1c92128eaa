package streams_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestFollowIsBoundedInBytes lets a reader stand still before large events: the server is soon asked for no more of
// them. When it goes on it gets them all, in batches that are bounded too.
func TestFollowIsBoundedInBytes(t *testing.T) {
	const n, size, most = 110, 1 << 20, 64 << 20
	l := openLog(t, embedded.Options{})
	list := make([]streams.Raw, n)
	for i := range list {
		list[i] = streams.Raw{ID: fmt.Sprint(i), Subject: "certs.order.issued.digicert.1", Data: bytes.Repeat([]byte("x"), size)}
	}
	if done, err := l.AppendAll(context.Background(), list); done != n || err != nil {
		t.Fatal(done, err)
	}
	r, release := l.NewReader("test")
	defer release()
	all := errors.New("all")
	next, stood := uint64(1), false
	err := r.Follow(context.Background(), 0, func(records []schema.Record) error {
		if !stood {
			stood = true
			if got := size * standStill(t, l, r); got > most {
				t.Errorf("%d MiB were sent to a reader that does not read, more than %d", got>>20, most>>20)
			}
		}
		held := 0
		for i := range records {
			held += len(records[i].Data)
			if records[i].Seq != next || records[i].Missing != 0 {
				t.Errorf("event %d came after %d were missing, want %d", records[i].Seq, records[i].Missing, next)
			}
			next++
		}
		if held > streams.RecordsBytes+size {
			t.Errorf("a batch of %d MiB", held>>20)
		}
		if next > n {
			return all
		}
		return nil
	})
	if !errors.Is(err, all) {
		t.Error(err)
	}
}

// standStill waits until the reader's consumer has sent all that it was asked for, or all there is, and returns how
// many messages these were.
func standStill(t *testing.T, l *embedded.Log, r *streams.Reader) int {
	t.Helper()
	consumer, err := session(t, l).Stream.Consumer(t.Context(), r.Consumer())
	for err == nil {
		info := consumer.CachedInfo()
		if info.NumWaiting == 0 || info.NumPending == 0 {
			return int(info.Delivered.Consumer)
		}
		_, err = consumer.Info(t.Context())
	}
	t.Fatal(err)
	return 0
}

// TestEventsEndEarlyByBytes asks for more events than fit: those that fit come, one at least, and it is told that there
// are more.
func TestEventsEndEarlyByBytes(t *testing.T) {
	l := openLog(t, embedded.Options{})
	streamstest.Append(t, l, 5)
	all, more, err := l.Events(t.Context(), 0, "", 10, 1<<20)
	if err != nil || more || len(all) != 5 {
		t.Fatalf("%d events, more %t, %v", len(all), more, err)
	}
	two := len(all[0].Data) + len(all[1].Data)
	for bytes, want := range map[int]int{0: 1, 1: 1, two - 1: 1, two: 2, two + 1: 2} {
		if got, more, err := l.Events(t.Context(), 0, "", 10, bytes); err != nil || !more || len(got) != want {
			t.Errorf("%d bytes: %d events, more %t, %v; want %d", bytes, len(got), more, err, want)
		}
	}
	if got, more, err := l.Events(t.Context(), 0, "", 2, two); err != nil || more || len(got) != 2 {
		t.Errorf("as many as asked for: %d events, more %t, %v", len(got), more, err)
	}
}
