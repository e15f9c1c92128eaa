package schema

import (
	"fmt"
	"strings"
	"time"
)

// TimeFormat writes a time in RFC 3339, UTC, always with three digits of milliseconds, so that text sorts as time does.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time holds a moment in UTC to the millisecond, written as TimeFormat.
type Time struct{ time.Time }

// At converts t to UTC and cuts it to the millisecond.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// ParseTime reads a time in any of the forms the providers use: RFC 3339 with any fraction, the same without a zone
// (read as UTC), with a space for the T, or a date alone (midnight UTC).
func ParseTime(s string) (Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return At(t), nil
		}
	}
	return Time{}, fmt.Errorf("%q is not a time in RFC 3339, nor a date", s)
}

// String writes t in TimeFormat; "" for the zero time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return string(t.appendText(make([]byte, 0, len(TimeFormat))))
}

// MarshalJSON writes t in TimeFormat.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.append(make([]byte, 0, len(TimeFormat)+2)), nil
}

func (t Time) append(b []byte) []byte {
	b = append(b, '"')
	b = t.appendText(b)
	return append(b, '"')
}

// appendText does what AppendFormat does with TimeFormat, in a third of the time: every row of a rebuild has some
// times.
func (t Time) appendText(b []byte) []byte {
	u := t.UTC()
	year, month, day := u.Date()
	if year < 0 || year > 9999 {
		return u.AppendFormat(b, TimeFormat)
	}
	hour, minute, second := u.Clock()
	b = append(twoDigits(twoDigits(b, year/100), year%100), '-')
	b = append(twoDigits(b, int(month)), '-')
	b = append(twoDigits(b, day), 'T')
	b = append(twoDigits(b, hour), ':')
	b = append(twoDigits(b, minute), ':')
	b = append(twoDigits(b, second), '.')
	milliseconds := u.Nanosecond() / int(time.Millisecond)
	return append(twoDigits(append(b, '0'+byte(milliseconds/100)), milliseconds%100), 'Z')
}

func twoDigits(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }

// UnmarshalJSON reads what ParseTime reads.
func (t *Time) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "" || s == "null" {
		*t = Time{}
		return nil
	}
	parsed, err := ParseTime(s)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
