package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Gap is a range of sequences that no event of a log has, both ends included.
type Gap struct {
	First uint64 `json:"first_seq"`
	Last  uint64 `json:"last_seq"`
}

// Gaps are ranges in ascending order that neither overlap nor touch. Its methods change none of them.
type Gaps []Gap

// Events is how many sequences are in the ranges.
func (g Gaps) Events() (n uint64) {
	for _, r := range g {
		n += r.Last - r.First + 1
	}
	return n
}

// String is "5, 8 to 12 and 3 more ranges".
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

// And is what is in g or in o.
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

// Without is what is in g and not in o.
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

// UpTo is what is in g and not after the sequence last.
func (g Gaps) UpTo(last uint64) Gaps {
	var list Gaps
	for _, r := range g {
		if r.Last = min(r.Last, last); r.First <= r.Last {
			list = append(list, r)
		}
	}
	return list
}
