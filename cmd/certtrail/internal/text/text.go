package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema"
)

// Count writes a number of things, with commas: "1,234 events".
func Count(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Commas(n) + " " + thing
}

func Commas(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, digit := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func EventsAre(g schema.Gap) string {
	if g.First == g.Last {
		return fmt.Sprintf("event %d is", g.First)
	}
	return fmt.Sprintf("events %d to %d are", g.First, g.Last)
}

// Sentence writes an error as a sentence: with a capital and a full stop.
func Sentence(err error) string {
	text := strings.TrimRight(err.Error(), ". ")
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return "It failed, and does not say why."
	}
	return string(unicode.ToUpper(first)) + text[size:] + "."
}
