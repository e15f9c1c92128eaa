package sectigo

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Limits of what is kept of a text from outside; the whole is in the original.
const (
	maxEvent = 100
	maxText  = 1000
)

// text is a string, or a whole number with just the digits that were sent: ids are numbers in one feed and strings in the other.
// Anything else (null, an object, 1.5) is as if absent.
type text string

// UnmarshalJSON never fails: what a key holds must not make the rest of the delivery unreadable.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) < 1:
	case b[0] == '"':
		*t = text(strings.TrimSpace(unquote(b)))
	case len(bytes.Trim(b, "0123456789")) == 0:
		*t = text(b)
	}
	return nil
}

// unquote spares a second run of encoding/json for strings without escapes, which nearly all are.
func unquote(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) {
		return string(b[1 : len(b)-1])
	}
	var s string
	_ = json.Unmarshal(b, &s)
	return s
}

// clip is s, cut to max bytes between two characters.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
