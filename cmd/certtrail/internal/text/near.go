package text

import (
	"slices"
	"strings"
)

// DidYouMean suggests the names that name may have been meant to be: "; did you mean digicert-webhook-key?", or ""
// where none is near.
func DidYouMean(name string, names []string) string {
	near := Near(name, names)
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

// mostNear bounds how many names are suggested.
const mostNear = 3

// Near returns the names that differ least from name, by a letter or two; or else those that begin or end with it.
func Near(name string, names []string) []string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }
	var near []string
	least := 2
	if len(name) < 4 {
		least = 1
	}
	for _, one := range names {
		switch d := distance(plain(name), plain(one)); {
		case d < least:
			near, least = []string{one}, d
		case d == least:
			near = append(near, one)
		}
	}
	if len(near) == 0 && len(name) > 2 {
		for _, one := range names {
			if strings.HasPrefix(plain(one), plain(name)) || strings.HasSuffix(plain(one), "-"+plain(name)) {
				near = append(near, one)
			}
		}
	}
	slices.Sort(near)
	return near[:min(mostNear, len(near))]
}

// distance returns how many letters must be put in, left out, changed, or exchanged with the next one to make b of a.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}
