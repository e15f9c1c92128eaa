package streams_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// queueOf opens the queue "ask" of the source digicert.
func queueOf(t testing.TB, l *embedded.Log) *streams.Queue {
	t.Helper()
	q, err := l.Queue(context.Background(), "ask", "certs.*.*.digicert.>")
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// given returns the next record of the queue; it must come.
func given(t testing.TB, q *streams.Queue) schema.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	task, err := q.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestQueue: what the log held before is not given, what is done is not given again, also by the next process, and what
// is put off comes later.
func TestQueue(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, embedded.Options{Dir: dir})
	streamstest.Append(t, l, 3)
	q := queueOf(t, l)
	streamstest.Append(t, l, 3)
	other := streamstest.Event(9)
	other.Data.Provider = "digicert-eu"
	if _, err := l.Append(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	first, second := given(t, q), given(t, q)
	if first.Seq != 4 || second.Seq != 5 || first.Try != 1 {
		t.Fatalf("given %d on try %d, then %d; want 4, then 5", first.Seq, first.Try, second.Seq)
	}
	do(t, first.Done())
	do(t, second.Later(time.Millisecond))
	seen := map[uint64]int{}
	for range 2 {
		task := given(t, q)
		seen[task.Seq] = task.Try
		do(t, task.Done())
	}
	if seen[5] != 2 || seen[6] != 1 {
		t.Fatalf("then given %v, want 5 again and 6", seen)
	}
	l.Close()

	l = openLog(t, embedded.Options{Dir: dir})
	q = queueOf(t, l)
	streamstest.Append(t, l, 1)
	if task := given(t, q); task.Seq != 8 {
		t.Errorf("after a restart %d is given, want 8", task.Seq)
	}
	if err := session(t, l).Stream.DeleteConsumer(context.Background(), "certtrail-ask"); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan schema.Task, 1)
	go func() { waiting <- given(t, q) }()
	for len(waiting) == 0 { // only what comes once the queue is there again is in it
		streamstest.Append(t, l, 1)
	}
	if task := <-waiting; task.Seq <= 8 {
		t.Errorf("a queue that was deleted gives %d", task.Seq)
	}
}

// TestQueueWaitsForSync: a record is not given before it is durable.
func TestQueueWaitsForSync(t *testing.T) {
	hold, armed, reached := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var holding sync.Once
	l := openLog(t, embedded.Options{Sync: func(f *os.File) error {
		select {
		case <-armed:
			holding.Do(func() { close(reached); <-hold })
		default:
		}
		return f.Sync()
	}})
	q := queueOf(t, l)
	close(armed)
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), streamstest.Event(1))
		appended <- err
	}()
	<-reached
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if task, err := q.Next(ctx); err == nil {
		t.Fatalf("%d is given before its sync", task.Seq)
	}
	close(hold)
	do(t, <-appended)
	if task := given(t, q); task.Seq != 1 {
		t.Errorf("given %d, want 1", task.Seq)
	}
}

// TestRestoredLogHasNoQueue: nobody acts on what was restored, while a subscriber's consumer stays.
func TestRestoredLogHasNoQueue(t *testing.T) {
	ctx := context.Background()
	l := openLog(t, embedded.Options{})
	queueOf(t, l)
	if _, err := session(t, l).Stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "deploys", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	streamstest.Append(t, l, 3)
	var snapshot bytes.Buffer
	do(t, l.Snapshot(ctx, &snapshot))
	dir := filepath.Join(t.TempDir(), "nats")
	read := func(*streams.Log, uint64) error { return nil }
	if err := embedded.Restore(ctx, embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, &snapshot, read); err != nil {
		t.Fatal(err)
	}
	again := openLog(t, embedded.Options{Dir: dir})
	q := queueOf(t, again)
	streamstest.Append(t, again, 1)
	if task := given(t, q); task.Seq != 4 {
		t.Errorf("given %d, want 4: those before were restored", task.Seq)
	}
	if _, err := session(t, again).Stream.Consumer(ctx, "deploys"); err != nil {
		t.Errorf("the subscriber's consumer: %v", err)
	}
}
