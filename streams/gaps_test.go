package streams

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestGapsAreLookedFor damages events of a closed log: the server's account of what is deleted knows nothing of them, and a look does. Until then nobody
// says that nothing is gone.
func TestGapsAreLookedFor(t *testing.T) {
	ctx := context.Background()
	for name, always := range map[string]bool{"block files": false, "served": true} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Always: always}
			l := openLog(t, o)
			appendN(t, l, 20)
			l.Close()
			damage(t, o.Dir, `"order_id":"0"`, `"order_id":"6"`, `"order_id":"7"`, `"order_id":"19"`)
			l = openLog(t, o)
			if info, err := l.stream.Info(ctx); err != nil || info.State.NumDeleted != 0 {
				t.Fatalf("the server knows of %d, %v: nobody needs to look", info.State.NumDeleted, err)
			}
			if _, err := l.Gaps(); !errors.Is(err, ErrUnread) {
				t.Errorf("before a look: %v", err)
			}
			looks := 0
			if err := l.LookForGaps(ctx, func() { looks++ }); err != nil || looks == 0 {
				t.Fatal(looks, err)
			}
			want := schema.Gaps{{First: 1, Last: 1}, {First: 7, Last: 8}, {First: 20, Last: 20}}
			if got, err := l.Gaps(); err != nil || !slices.Equal(got, want) {
				t.Errorf("gaps %v, %v, want %v", got, err, want)
			}
			if seq, err := l.Append(ctx, event(21)); seq != 21 || err != nil {
				t.Errorf("the next event got %d, %v", seq, err)
			}
			if err := l.LookForGaps(ctx, func() {}); err != nil {
				t.Fatal(err)
			}
			if got, err := l.Gaps(); err != nil || !slices.Equal(got, want) {
				t.Errorf("after another event: gaps %v, %v, want %v", got, err, want)
			}
		})
	}
}

// TestReadGoesBackToTheFiles reads a log that is damaged at its beginning and beyond what is taken from the server at once.
func TestReadGoesBackToTheFiles(t *testing.T) {
	const n = 2*servedMost + 10
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	events := raws(t, 0, n)
	if _, err := l.AppendAll(context.Background(), events); err != nil {
		t.Fatal(err)
	}
	l.Close()
	damage(t, dir, `"`+events[2].ID+`"`, `"`+events[n-5].ID+`"`)
	l = openLog(t, Options{Dir: dir})
	at, read := uint64(0), 0
	err := l.Read(context.Background(), 0, n, func(records []schema.Record) error {
		for _, r := range records {
			if r.Seq <= at || r.Missing > 0 && r.Seq-r.Missing-1 != at {
				t.Fatalf("event %d, with %d missing before it, came after %d", r.Seq, r.Missing, at)
			}
			at = r.Seq
		}
		read += len(records)
		return nil
	})
	if err != nil || read != n-2 || at != n {
		t.Errorf("read %d events up to %d, %v; want %d up to %d", read, at, err, n-2, n)
	}
	if got, _ := l.Gaps(); !slices.Equal(got, schema.Gaps{{First: 3, Last: 3}, {First: n - 4, Last: n - 4}}) {
		t.Errorf("gaps %v", got)
	}
}
