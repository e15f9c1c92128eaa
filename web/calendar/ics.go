package calendar

import (
	"encoding/hex"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// entry marks a day in a calendar, or a moment.
type entry struct {
	UID     string // what it is of: the same for as long as that is there
	At      time.Time
	Exact   bool      // it is that moment, and not its day
	Changed time.Time // when something was last heard of what it is of
	Summary string
	About   string // lines
	URL     string
}

// write writes an iCalendar object (RFC 5545). The same entries give the same bytes.
func write(w io.Writer, entries []entry) error {
	c := ics.NewCalendar()
	c.SetProductId("-//certtrail//expiries//EN")
	c.SetCalscale("GREGORIAN")
	c.SetMethod(ics.MethodPublish)
	c.SetXWRCalName("certtrail")
	c.SetRefreshInterval("PT6H", ics.WithValue(string(ics.ValueDataTypeDuration)))
	c.SetXPublishedTTL("PT6H")
	for _, entry := range entries {
		e := c.AddEvent(icsUID(entry.UID))
		e.SetDtStampTime(entry.Changed) // with PUBLISH, when its information last changed (3.8.7.2)
		if entry.Exact {
			e.SetStartAt(entry.At) // without an end it takes no time (3.6.1)
		} else {
			e.SetAllDayStartAt(entry.At.UTC())
		}
		e.SetSummary(icsText(entry.Summary))
		e.SetDescription(icsText(entry.About))
		e.SetURL(entry.URL) // of ours, and escaped: nothing in it ends a line
		e.SetTimeTransparency(ics.TransparencyTransparent)
	}
	return c.SerializeTo(w, ics.WithNewLine("\r\n"))
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

// icsText returns s as valid UTF-8 without control characters, but for the ends of lines.
func icsText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
