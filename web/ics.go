package web

import (
	"bytes"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// calendarEntry is a day in a calendar, or a moment.
type calendarEntry struct {
	UID     string // what it is of: the same for as long as that is there
	At      time.Time
	Exact   bool      // it is that moment, and not its day
	Changed time.Time // when something was last heard of what it is of
	Summary string
	About   string // lines
	URL     string
}

// icsLine is how many octets a line may have, without its end (RFC 5545, 3.1).
const icsLine = 75

// icsTime is the layout of a time in UTC (RFC 5545, 3.3.5).
const icsTime = "20060102T150405Z"

// writeCalendar is an iCalendar object (RFC 5545). The same entries give the same bytes.
func writeCalendar(entries []calendarEntry) []byte {
	var b bytes.Buffer
	line := func(name, value string) { writeFolded(&b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//certtrail//expiries//EN")
	line("CALSCALE", "GREGORIAN")
	line("METHOD", "PUBLISH")
	line("X-WR-CALNAME", "certtrail")
	line("REFRESH-INTERVAL;VALUE=DURATION", "PT6H")
	line("X-PUBLISHED-TTL", "PT6H")
	for _, e := range entries {
		line("BEGIN", "VEVENT")
		line("UID", icsUID(e.UID))
		line("DTSTAMP", e.Changed.UTC().Format(icsTime)) // with PUBLISH, when its information last changed (3.8.7.2)
		if e.Exact {
			line("DTSTART", e.At.UTC().Format(icsTime)) // without an end it takes no time (3.6.1)
		} else {
			line("DTSTART;VALUE=DATE", e.At.UTC().Format("20060102"))
		}
		line("SUMMARY", icsText(e.Summary))
		line("DESCRIPTION", icsText(e.About))
		line("URL", icsURI(e.URL))
		line("TRANSP", "TRANSPARENT") // nobody is busy on that day
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return b.Bytes()
}

// icsUID keeps what is plain of an id from outside, and the bytes of the rest.
func icsUID(id string) string {
	var b strings.Builder
	for _, c := range []byte(id) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-./:_", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("=" + hex.EncodeToString([]byte{c}))
		}
	}
	return b.String() + "@certtrail"
}

// icsText is a value of type TEXT (RFC 5545, 3.3.11), without control characters.
func icsText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// icsURI is an address of ours, whose path is escaped: nothing in it ends a line.
func icsURI(s string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(s) }

// writeFolded writes a content line, over several lines where it is too long for one, never within a character.
func writeFolded(b *bytes.Buffer, s string) {
	for room := icsLine; len(s) > room; room = icsLine - 1 { // the space before what goes on counts
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s = s[cut:]
	}
	b.WriteString(s + "\r\n")
}
