package projections

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestWhatIsHeldOfAGap takes two events out of the log behind the read models: those hold them still, and lose them
// when they are rebuilt, which is told also where a start does it by itself. The events that come back are told too.
func TestWhatIsHeldOfAGap(t *testing.T) {
	of := func(n int) *schema.Event {
		return event(n, schema.OrderIssued, schema.Data{OrderID: strconv.Itoa(n)})
	}
	for name, rebuild := range map[string]func(g *generation){
		"asked for":    nil,
		"other folds":  func(g *generation) { g.folds += 1000 },
		"other tables": func(g *generation) { g.tables = strings.Repeat("0", len(g.tables)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := newMemoryLog(of(1), of(2), of(3), of(4), of(5))
			s, stop := running(t, dir, l)
			caughtUp(t, s)
			stop()
			l.records = []schema.Record{l.records[0], l.records[2], l.records[4]}
			l.records[1].Missing, l.records[2].Missing = 1, 1
			known := schema.Gaps{{First: 2, Last: 2}, {First: 4, Last: 4}}
			var said bytes.Buffer
			reopen := func() {
				var err error
				if s, err = Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.NewTextHandler(&said, nil)),
					Gaps: func() (gone, accepted schema.Gaps) { return known, nil }}); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
			}
			told := func(held, back schema.Gaps) {
				t.Helper()
				_, m, err := s.Status(t.Context())
				if err != nil || !slices.Equal(m.Gaps, known) || !slices.Equal(m.Held, held) || !slices.Equal(m.Back, back) {
					t.Errorf("missing %+v (%v), want %v, held %v, back %v", m, err, known, held, back)
				}
			}
			reopen()
			told(known, nil)
			if v, err := s.Verify(t.Context(), nil); err != nil || !slices.Equal(v.Gone, known) {
				t.Errorf("verify: %v (%v), want %v", v.Gone, err, known)
			}
			if rebuild == nil {
				if r, err := s.Rebuild(t.Context(), false, nil); err != nil || !slices.Equal(r.Gone, known) {
					t.Errorf("rebuilt %+v (%v), want %v to be gone", r, err, known)
				}
			} else {
				current, _ := s.inUse()
				s.Close()
				old := current.generation
				rebuild(&old)
				path := filepath.Join(dir, old.String())
				if err := errors.Join(os.Rename(current.path, path), writeCurrent(path)); err != nil {
					t.Fatal(err)
				}
				reopen()
				if err := s.rebuildUnlessDone(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(said.String(), `gone from the log; see the operating guide on gaps" events=2 sequences="2, 4"`) {
				t.Errorf("the log says only: %s", said.String())
			}
			told(nil, nil)
			back := known
			known = nil
			told(nil, back)
		})
	}
}
