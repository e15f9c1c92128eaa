package projections

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// persons runs a store whose people can be read and forgotten.
func persons(t *testing.T, dir string, l wholeLog, keys *peopletest.Keys) *Store {
	t.Helper()
	s, err := Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler), Open: func(e *schema.Event) { people.OpenPerson(keys, e) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; s.Close() })
	return s
}

// frozenLog makes a log of the frozen events of the providers.
func frozenLog(t *testing.T, providers ...string) *memoryLog {
	t.Helper()
	_, records := frozenEvents(t)
	var kept []schema.Record
	for _, r := range records {
		for _, p := range providers {
			if eventOf(t, r).Data.Provider == p {
				r.Seq = uint64(len(kept) + 1)
				kept = append(kept, r)
			}
		}
	}
	return logOf(kept)
}

const frozenEmail = "jane.doe@example.test" // of everybody in the frozen events

func TestUsersAreOpened(t *testing.T) {
	ctx, keys := context.Background(), &peopletest.Keys{}
	s := persons(t, t.TempDir(), frozenLog(t, "defguard", "probely"), keys)
	caughtUp(t, s)
	for q, want := range map[string]string{frozenEmail: "2", "jdoe": "1", "2aDq6BEzAK5u": "0", "Jane Doe": "2"} {
		found, _, err := List(ctx, s, Users, Query{Q: q, Now: began})
		if err != nil || len(found) != int(want[0]-'0') {
			t.Errorf("%s finds %d users (%v), want %s", q, len(found), err, want)
		}
	}
	u, err := One(ctx, s, Users, "defguard", keys.Hash("defguard", "jdoe"), Moment{Now: began})
	if err != nil {
		t.Fatal(err)
	}
	// created, deleted, keys, modified, in the order of the files' names
	if u.State != lifecycle.Active || u.Username != "jdoe" || u.Email != frozenEmail || u.Phone != "" || len(u.Groups) != 2 || len(u.Devices) != 1 || len(u.Keys) != 3 || u.Forgotten || len(u.Timeline) != 4 {
		t.Errorf("the user is %+v", u)
	}
	for _, e := range u.Timeline {
		if facts := factsText(e.Facts); strings.Contains(facts, "jdoe") || strings.Contains(facts, "@") {
			t.Errorf("a timeline tells of the person: %s", facts)
		}
	}
	then, err := One(ctx, s, Users, "defguard", u.ID, Moment{Seq: u.Timeline[0].Seq, Now: began})
	if err != nil || then.Phone == "" || len(then.Keys) != 0 {
		t.Errorf("as of the first event the user is %+v (%v)", then, err)
	}
	if n, err := s.Count(ctx, lifecycle.Users, Query{State: lifecycle.Deleted, Now: began}); err != nil || n != 1 {
		t.Errorf("%d deleted users (%v), want Probely's", n, err)
	}
}

// TestForgetting: once the key is destroyed and the read models are rebuilt, nothing of the person is in any file of
// them, and the rest is as it was.
func TestForgetting(t *testing.T) {
	ctx, keys, dir := context.Background(), &peopletest.Keys{}, t.TempDir()
	s := persons(t, dir, frozenLog(t, "defguard", "probely", "digicert"), keys)
	caughtUp(t, s)
	before := dump(t, s)
	keys.Destroy(keys.Hash("defguard", "jdoe"))
	keys.Destroy(keys.Hash("probely", "2aDq6BEzAK5u"))
	if _, err := s.Forget(ctx, nil); err != nil {
		t.Fatal(err)
	}
	u, err := One(ctx, s, Users, "defguard", keys.Hash("defguard", "jdoe"), Moment{Now: began})
	if err != nil || u.Username != schema.Forgotten || u.Email != schema.Forgotten || !u.Forgotten || u.State != lifecycle.Active || len(u.Keys) != 3 || u.Devices != nil {
		t.Errorf("the user is %+v (%v)", u, err)
	}
	then, err := One(ctx, s, Users, "defguard", u.ID, Moment{Seq: u.Timeline[0].Seq, Now: began})
	if err != nil || then.Phone != "" || then.Username != schema.Forgotten {
		t.Errorf("as of the first event the user is %+v (%v)", then, err)
	}
	others := func(tables string) string {
		var kept strings.Builder
		for line := range strings.Lines(tables) {
			if !strings.HasPrefix(line, "users|") {
				kept.WriteString(line)
			}
		}
		return kept.String()
	}
	if after := dump(t, s); others(after) != others(before) || after == before {
		t.Error("something else has changed, or nothing")
	}
	if v, err := s.Verify(ctx, nil); err != nil || v.Differing != 0 {
		t.Errorf("verified: %+v, %v", v, err)
	}
	s.retiring.Wait()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{"jdoe", frozenEmail, "Jane", "5550100", "12345678"} {
			if bytes.Contains(b, []byte(personal)) {
				t.Errorf("%s holds %s", f.Name(), personal)
			}
		}
	}
}

// TestForgettingWaits: a building that was under way may have opened what must not be shown any more, so it is ended,
// and another one follows it.
func TestForgettingWaits(t *testing.T) {
	s := persons(t, t.TempDir(), frozenLog(t, "defguard"), &peopletest.Keys{})
	caughtUp(t, s)
	building, leave, err := s.building.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := s.Forget(ctx, nil)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it does not wait: %v", err)
	}
	go func() {
		_, err := s.Forget(context.Background(), nil)
		done <- err
	}()
	<-building.Done() // it is ended for what cannot wait
	leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
