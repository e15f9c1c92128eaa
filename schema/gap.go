package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Gap holds a range of sequences that no event of a log has, both ends included.
type Gap struct {
	First uint64 `json:"first_seq"`
	Last  uint64 `json:"last_seq"`
}

// Gaps holds ranges in ascending order that neither overlap nor touch. Its methods change none of them.
type Gaps []Gap

// Events counts the sequences in the ranges.
func (g Gaps) Events() (n uint64) {
	for _, r := range g {
		n += r.Last - r.First + 1
	}
	return n
}

// String names the first five ranges and counts the rest: "5, 8 to 12 and 3 more ranges".
func (g Gaps) String() string {
	const shown = 5
	var b strings.Builder
	for i, r := range g[:min(len(g), shown)] {
		if i > 0 {
			b.WriteString(", ")
		}
		if fmt.Fprint(&b, r.First); r.Last > r.First {
			fmt.Fprintf(&b, " to %d", r.Last)
		}
	}
	if more := len(g) - shown; more > 0 {
		fmt.Fprintf(&b, " and %d more ranges", more)
	}
	return b.String()
}

// And returns the union of g and o.
func (g Gaps) And(o ...Gap) Gaps {
	all := slices.Concat(g, o)
	slices.SortFunc(all, func(a, b Gap) int { return cmp.Compare(a.First, b.First) })
	var list Gaps
	for _, r := range all {
		if n := len(list); n > 0 && r.First <= list[n-1].Last+1 {
			list[n-1].Last = max(list[n-1].Last, r.Last)
			continue
		}
		list = append(list, r)
	}
	return list
}

// Without returns what is in g and not in o.
func (g Gaps) Without(o Gaps) Gaps {
	var list Gaps
	for _, r := range g {
		for _, cut := range o {
			if cut.Last < r.First || r.Last < cut.First {
				continue
			}
			if r.First < cut.First {
				list = append(list, Gap{r.First, cut.First - 1})
			}
			r.First = cut.Last + 1
		}
		if r.First <= r.Last {
			list = append(list, r)
		}
	}
	return list
}

// At returns the range that the sequence is in; false if it is in none.
func (g Gaps) At(seq uint64) (Gap, bool) {
	i, found := slices.BinarySearchFunc(g, seq, func(r Gap, seq uint64) int {
		switch {
		case r.Last < seq:
			return -1
		case r.First > seq:
			return 1
		}
		return 0
	})
	if !found {
		return Gap{}, false
	}
	return g[i], true
}

// Covers reports whether the whole range is in one of g.
func (g Gaps) Covers(r Gap) bool {
	in, ok := g.At(r.First)
	return ok && r.Last <= in.Last
}

// UpTo cuts off what comes after the sequence last.
func (g Gaps) UpTo(last uint64) Gaps {
	var list Gaps
	for _, r := range g {
		if r.Last = min(r.Last, last); r.First <= r.Last {
			list = append(list, r)
		}
	}
	return list
}

// String writes "5-9", or "5" for one sequence.
func (r Gap) String() string {
	if r.First == r.Last {
		return strconv.FormatUint(r.First, 10)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// ParseGap reads what String writes.
func ParseGap(s string) (r Gap, err error) {
	first, last, isRange := strings.Cut(s, "-")
	if r.First, err = strconv.ParseUint(first, 10, 64); err == nil {
		r.Last = r.First
		if isRange {
			r.Last, err = strconv.ParseUint(last, 10, 64)
		}
	}
	if err != nil || r.First == 0 || r.Last < r.First {
		return Gap{}, fmt.Errorf("%q is no range of events: write it as 5-9, or 5", s)
	}
	return r, nil
}

// NewGapAccepted makes the event by which an operator accepts a gap: the events are gone, and certtrail stops reporting
// them.
func NewGapAccepted(id string, t Time, r Gap) *Event {
	return New(id, LogSource, t, LogGapAccepted, Data{Event: LogGapAccepted.Name(), Decoder: WebDecoder, TargetID: r.String()})
}

// AcceptedGap returns the gap that the event accepts; false for any other event, and for one of another log.
func (e *Event) AcceptedGap() (Gap, bool) {
	if e.Kind() != LogGapAccepted || e.Imported != "" {
		return Gap{}, false
	}
	r, err := ParseGap(e.Data.TargetID)
	return r, err == nil
}

// Cause says how events were lost.
type Cause string

// The causes.
const (
	CauseDamaged Cause = "damaged" // their record has another checksum
	CauseMissing Cause = "missing" // the file that they stood in is gone
	CauseEnd     Cause = "end"     // the log ends before events that were answered
	CauseUnknown Cause = "unknown" // nothing tells
)

// Loss describes a range of events that a log has lost.
type Loss struct {
	Gap
	Cause Cause  `json:"cause"`
	File  string `json:"file,omitempty"` // of the log, where one tells of it
	Found Time   `json:"found"`          // when it was first known
}
