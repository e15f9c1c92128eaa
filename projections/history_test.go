package projections

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
)

func randomHistory(seed uint64, n int) []schema.Record { return projectionstest.RandomHistory(seed, n) }

// logOf makes a log that holds the records.
func logOf(records []schema.Record) *memoryLog {
	l := newMemoryLog()
	l.add(records...)
	return l
}

// add appends records as they are.
func (l *memoryLog) add(records ...schema.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, records...)
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *memoryLog) last() uint64 {
	if len(l.records) == 0 {
		return 0
	}
	return l.records[len(l.records)-1].Seq
}

// after returns where the records after seq begin.
func (l *memoryLog) after(seq uint64) int {
	return sort.Search(len(l.records), func(i int) bool { return l.records[i].Seq > seq })
}

// TestRandomHistoryFolds has a history in the tables: what cannot be folded is parked, the rest has rows, gaps are
// noted and no true id counts twice.
func TestRandomHistoryFolds(t *testing.T) {
	records := randomHistory(4, 3000)
	s, _ := running(t, t.TempDir(), logOf(records))
	caughtUp(t, s)
	tables := dump(t, s)
	lines := map[string]int{}
	for line := range strings.Lines(tables) {
		table, _, _ := strings.Cut(line, "|")
		lines[table]++
	}
	for table, atLeast := range map[string]int{
		"orders": 100, "certificates": 50, "domains": 50, "dnssec": 10, "organizations": 10, "websites": 10, "accounts": 5, "users": 10, "targets": 3, "scans": 5, "findings": 3, "attention": 10, "timeline": 2500, "names": 100, "quarantine": 10, "gaps": 1, "seen": 10, "cursor": 1,
	} {
		if lines[table] < atLeast {
			t.Errorf("%s has %d rows, want at least %d", table, lines[table], atLeast)
		}
	}
	if want := fmt.Sprintf("cursor|1|%d|", records[len(records)-1].Seq); !strings.Contains(tables, want) {
		t.Errorf("the cursor is not at the last record: want %s", want)
	}
	parked := 0
	for line := range strings.Lines(tables) {
		if strings.HasPrefix(line, "quarantine|") && !strings.Contains(line, "carrier_pigeon") {
			parked++
		}
	}
	if parked == 0 || parked > len(records)/50 {
		t.Errorf("%d events were parked", parked)
	}
}
