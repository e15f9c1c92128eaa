package redact

import (
	"strings"
	"unicode/utf8"
)

// maxNote bounds what is kept of a note, in bytes.
const maxNote = 1000

// Note writes a person's words as the log may keep them for ever: one paragraph, e-mail addresses masked, cut off after
// a thousand bytes.
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
