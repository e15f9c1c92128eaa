package redact

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// outOfString removes the values from a string of JSON, in which JSON may stand again.
func (k knownValues) outOfString(s string) string {
	if looksLikeJSON(s) && jsonscan.Valid([]byte(s)) {
		if safe := string(k.outOfJSON([]byte(s))); safe != s && safe != compact(s) {
			return k.out(safe)
		}
	}
	return k.out(s)
}

// outOfEscapes removes the values from s where their characters are escaped as in a URL (%2f) or in JSON that stands
// inside a string (\u002f), whichever of them and in capitals or not.
func (k knownValues) outOfEscapes(s string) string {
	if len(k) == 0 || !strings.Contains(s, "%") && !strings.Contains(s, `\u`) {
		return s
	}
	plain := unescape(s, nil)
	found := false
	for _, form := range k {
		found = found || strings.Contains(plain, form)
	}
	if !found {
		return s
	}
	starts := make([]int, 0, len(s)+1) // of each byte of plain in s
	plain = unescape(s, &starts)
	for _, form := range k {
		var b strings.Builder
		kept := 0
		for at := strings.Index(plain, form); at >= 0; {
			b.WriteString(s[kept:starts[at]])
			b.WriteString(Mark)
			kept = starts[at+len(form)]
			next := strings.Index(plain[at+len(form):], form)
			if next < 0 {
				break
			}
			at += len(form) + next
		}
		if kept > 0 {
			return k.outOfEscapes(b.String() + s[kept:])
		}
	}
	return s
}

// unescape returns s without its escapes; starts, unless it is nil, gets where in s each byte of that begins, and the
// end of s.
func unescape(s string, starts *[]int) string {
	var b strings.Builder
	b.Grow(len(s))
	for at := 0; at < len(s); {
		text, size, escaped := s[at:at+1], 1, false
		switch s[at] {
		case '%':
			if n, ok := hexOf(s, at+1, 2); ok {
				text, size, escaped = string([]byte{byte(n)}), 3, true
			}
		case '\\':
			run := len(s[at:]) - len(strings.TrimLeft(s[at:], `\`))
			text, size = s[at:at+run], run // whole, so that a long run is looked at once
			if r, digits := unicodeOf(s, at+run); digits > 0 {
				text, size, escaped = string(r), run+digits, true
			}
		}
		b.WriteString(text)
		for i := 0; starts != nil && i < len(text); i++ {
			start := at
			if !escaped {
				start += i
			}
			*starts = append(*starts, start)
		}
		at += size
	}
	if starts != nil {
		*starts = append(*starts, len(s))
	}
	return b.String()
}

// unicodeOf reads uXXXX, or two of them that are a pair, and tells how many bytes that took; 0 where there is none.
func unicodeOf(s string, at int) (r rune, size int) {
	if at >= len(s) || s[at] != 'u' {
		return 0, 0
	}
	n, ok := hexOf(s, at+1, 4)
	if !ok {
		return 0, 0
	}
	const high, low, end = 0xD800, 0xDC00, 0xE000
	if n < high || n >= end {
		return rune(n), 5
	}
	rest := strings.TrimLeft(s[at+5:], `\`)
	second := len(s) - len(rest)
	if m, ok := hexOf(s, second+1, 4); ok && n < low && s[second] == 'u' && low <= m && m < end {
		return rune((n-high)<<10|(m-low)) + 0x10000, second + 5 - at
	}
	return utf8.RuneError, 5
}

func hexOf(s string, at, digits int) (uint64, bool) {
	if at+digits > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[at:at+digits], 16, 32)
	return n, err == nil
}
