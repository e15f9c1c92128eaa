package embedded

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/gate"
	"github.com/certtrail/certtrail/streams/streamstest"
	"github.com/certtrail/certtrail/streams/transfer"
)

// restore restores a snapshot and returns what is read back.
func restore(ctx context.Context, o Options, snapshot io.Reader) (s transfer.Summary, err error) {
	err = Restore(ctx, o, snapshot, func(l *streams.Log, last uint64) (err error) {
		s, err = transfer.Summarize(ctx, l, last, nil)
		return err
	})
	return s, err
}

// TestSnapshotKeepsEverything restores a snapshot of a log that lost an event in the middle and one at its end:
// sequences, times, gaps and a subscriber's place are as they were, and the next event gets the next sequence.
func TestSnapshotKeepsEverything(t *testing.T) {
	ctx := context.Background()
	logDir := t.TempDir()
	l := openLog(t, Options{Dir: logDir})
	streamstest.Append(t, l, 20)
	l.Close()
	streamstest.Damage(t, logDir, `"order_id":"6"`, `"order_id":"19"`)
	l = openLog(t, Options{Dir: logDir})
	if _, err := l.session.Stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "deploys", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	live, err := transfer.Summarize(ctx, l, 20, nil)
	if err != nil || live.Events != 18 || len(live.Gaps) != 2 || live.Gaps[0] != (schema.Gap{First: 7, Last: 7}) || live.Gaps[1] != (schema.Gap{First: 20, Last: 20}) {
		t.Fatalf("the log: %+v, %v", live, err)
	}
	var snapshot bytes.Buffer
	if err := l.Snapshot(ctx, &snapshot); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "nats")
	restored, err := restore(ctx, Options{Dir: dir}, &snapshot)
	if err != nil || !restored.Equal(live) {
		t.Fatalf("restored %+v, %v; the log is %+v", restored, err, live)
	}
	again := openLog(t, Options{Dir: dir})
	if seq, err := again.Append(ctx, streamstest.Event(21)); seq != 21 || err != nil {
		t.Errorf("the next event got %d, %v", seq, err)
	}
	if _, err := again.session.Stream.Consumer(ctx, "deploys"); err != nil {
		t.Errorf("the subscriber's consumer: %v", err)
	}
}

func TestRestoreRefusesWhatIsCutOff(t *testing.T) {
	ctx := context.Background()
	l := openLog(t, Options{})
	streamstest.Append(t, l, 2000)
	var snapshot bytes.Buffer
	if err := l.Snapshot(ctx, &snapshot); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1, snapshot.Len() / 2, snapshot.Len() - 1} {
		dir := filepath.Join(t.TempDir(), "nats")
		if s, err := restore(ctx, Options{Dir: dir}, bytes.NewReader(snapshot.Bytes()[:cut])); err == nil {
			t.Errorf("%d of %d bytes were restored: %+v", cut, snapshot.Len(), s)
		}
	}
	taken := filepath.Join(t.TempDir(), "nats")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(ctx, Options{Dir: taken}, &snapshot); err == nil {
		t.Error("a directory that is there was restored into")
	}
}

// TestRestoreIsDurable restores as each choice of syncing has it. The server syncs nothing that it takes out of a
// snapshot, so what is left is synced either way.
func TestRestoreIsDurable(t *testing.T) {
	ctx := context.Background()
	l := openLog(t, Options{})
	streamstest.Append(t, l, 20)
	var snapshot bytes.Buffer
	if err := l.Snapshot(ctx, &snapshot); err != nil {
		t.Fatal(err)
	}
	for _, always := range []bool{false, true} {
		blocks, broken := 0, error(nil)
		o := Options{Always: always, Listen: "no address", Access: gate.Access{Subscriber: "x"}, Sync: func(f *os.File) error {
			if strings.HasSuffix(f.Name(), ".blk") {
				blocks++
				return broken
			}
			return nil
		}}
		o.Dir = filepath.Join(t.TempDir(), "nats")
		if s, err := restore(ctx, o, bytes.NewReader(snapshot.Bytes())); err != nil || s.Events != 20 || blocks != 1 {
			t.Errorf("always %v: %d events were restored and %d blocks synced, %v", always, s.Events, blocks, err)
		}
		o.Dir = filepath.Join(t.TempDir(), "nats")
		broken = errors.New("input/output error")
		if _, err := restore(ctx, o, bytes.NewReader(snapshot.Bytes())); !errors.Is(err, broken) {
			t.Errorf("always %v: restored to a broken disk: %v", always, err)
		}
	}
}
