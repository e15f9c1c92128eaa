package redact

import (
	"strings"
	"unicode/utf8"
)

// maxNote is how many bytes of a note are kept.
const maxNote = 1000

// Note is a person's words as the log may keep them for ever: one paragraph, e-mail addresses masked, cut off after a thousand bytes.
func Note(s string) string {
	s = MaskEmails(strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " "))
	if len(s) <= maxNote {
		return s
	}
	end := maxNote
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
