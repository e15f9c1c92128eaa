// Package words makes every sentence that a person reads of an event, a change, a state, a check or a matter, from
// codes and facts: for pages, commands, the API and notices. Nothing that is stored has a sentence of it, and nothing
// reads one back: a sentence may change at any time.
//
// A string in this package is a word for people. A code is a constant of the package that the code is of.
package words

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema"
)

// Style says how dates and domain names are written in a sentence.
type Style int

// The styles.
const (
	ForPrograms Style = iota // 2026-11-25, xn--bcher-kva.example: the API and commands, whose readers search for them
	ForPeople                // 25 Nov 2026, bücher.example: pages and notices
)

func (s Style) day(t *schema.Time) string {
	if t == nil {
		return ""
	}
	if s == ForPeople {
		return Day(t.Time)
	}
	return t.UTC().Format(time.DateOnly)
}

func (s Style) name(domain string) string {
	if s == ForPeople {
		return schema.DisplayName(domain)
	}
	return domain
}

// join puts a space between those of the parts that say something.
func join(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

// because adds a reason, if there is one.
func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// with puts a word before what it is about; "" where that is not known.
func with(word, about string) string {
	if about == "" {
		return ""
	}
	return word + " " + about
}

// Sentence makes a text a sentence: a capital first, a full stop last.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	return Capital(strings.TrimRight(text, ".")) + "."
}

// Capital writes a text with a capital first.
func Capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 || first == utf8.RuneError {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// spaced writes a code as words: "verification failed".
func spaced(code string) string { return strings.ReplaceAll(code, "_", " ") }

// andMore adds to a list the number of those that it leaves out.
func andMore(list string, more int) string {
	if more == 0 {
		return list
	}
	return list + " and " + Number(more) + " more"
}

// YesNo answers a question.
func YesNo(yes bool) string { return either(yes, "yes", "no") }

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}
