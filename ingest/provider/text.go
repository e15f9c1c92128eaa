package provider

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// Limits of what is kept of a text from outside, in bytes; the whole is in the original.
const (
	MaxEvent = 100  // the provider's word for an event
	MaxText  = 1000 // any other text
)

// Text holds a string in a provider's JSON, without space around it, or a whole number with just the digits that were
// sent: ids are numbers in one feed and strings in the other. Anything else (null, an object, 1.5) is as if absent.
type Text string

// UnmarshalJSON never fails: what a key holds must not make the rest of the delivery unreadable.
func (t *Text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) < 1:
	case b[0] == '"':
		*t = Text(strings.TrimSpace(jsonscan.Unquote(b)))
	case len(bytes.Trim(b, "0123456789")) == 0:
		*t = Text(b)
	}
	return nil
}

// Bool holds a boolean in a provider's JSON, or a string of one, nil if it is absent. Anything else is as if absent.
type Bool struct{ Value *bool }

// UnmarshalJSON never fails, like that of Text.
func (f *Bool) UnmarshalJSON(b []byte) error {
	f.Value = nil
	if s := strings.Trim(string(b), `"`); s == "true" || s == "false" {
		is := s == "true"
		f.Value = &is
	}
	return nil
}

// Clip cuts s to max bytes between two characters.
func Clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// Form encodes names and values in turn as a query or a form, in their order, which url.Values does not keep, without
// those that are empty.
func Form(namesAndValues ...string) string {
	var b strings.Builder
	for i := 0; i < len(namesAndValues); i += 2 {
		name, value := namesAndValues[i], namesAndValues[i+1]
		if value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + url.QueryEscape(value))
	}
	return b.String()
}

// Members gives take the members of the JSON object b one after the other: each key, and its value as it is written,
// both parts of b. It tells whether b is an object of the common form: of any other (keys with capitals or escapes,
// deep nesting, wrong JSON), of which take may have got a part, encoding/json must say what it means. Of a key that
// comes twice the last counts, as there.
func Members(b []byte, take func(key, value []byte)) bool {
	s := jsonscan.Scanner{Src: b}
	for key := range s.Members {
		value := s.Raw()
		if s.Odd || jsonscan.HasCapital(key) {
			return false
		}
		take(key, value)
	}
	s.End()
	return !s.Odd
}
