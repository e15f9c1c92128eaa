// Package jsonscan reads JSON token by token, for whoever reads so much of it that encoding/json would be most of the
// work.
package jsonscan

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Scanner reads JSON in one pass, without making a tree. It takes no more than encoding/json does, and whatever is rare
// or has a meaning that is not obvious (null, a key twice, a key in capitals, half a surrogate pair, what is no JSON)
// it calls odd: then its caller asks encoding/json, which has the last word on what such a document means. So what is
// read here needs to be right, and need not be complete.
type Scanner struct {
	Src []byte
	Pos int  // of what is read next
	Odd bool // nothing that was read counts; the scanner stands at the end

	Spaced bool // there was white space between tokens

	Recent *Recent // nil: each string has memory of its own
}

// Recent holds strings that were read before. Most of what an event says is what the one before said: a word that is
// known needs no memory.
type Recent [512]string

// maxWord bounds the length of a string that Recent keeps.
const maxWord = 64

// of returns text as a string.
func (l *Recent) of(text []byte) string {
	if l == nil || len(text) == 0 || len(text) > maxWord {
		return string(text)
	}
	n := len(text)
	at := (n + int(text[0])*5 + int(text[n/2])*31 + int(text[n-1])*67) % len(l)
	if l[at] != string(text) {
		l[at] = string(text)
	}
	return l[at]
}

// maxScanDepth bounds how deep the scanner follows arrays and objects; encoding/json goes further.
const maxScanDepth = 100

// Fail gives the document up: it is odd.
func (s *Scanner) Fail() {
	s.Odd = true
	s.Pos = len(s.Src)
}

// Peek returns the first byte of the next token, 0 at the end.
func (s *Scanner) Peek() byte {
	for ; s.Pos < len(s.Src); s.Pos++ {
		switch c := s.Src[s.Pos]; c {
		case ' ', '\t', '\n', '\r':
			s.Spaced = true
		default:
			return c
		}
	}
	return 0
}

// Take passes over the token c, which must be next.
func (s *Scanner) Take(c byte) {
	if s.Peek() != c {
		s.Fail()
		return
	}
	s.Pos++
}

// End expects the end of the document.
func (s *Scanner) End() {
	if s.Peek(); s.Pos < len(s.Src) {
		s.Fail()
	}
}

// Members yields the keys of the object that is next; each value is read or skipped before the next key is asked for.
func (s *Scanner) Members(yield func(key []byte) bool) {
	s.Take('{')
	for first := true; !s.Odd && s.Peek() != '}'; first = false {
		if !first {
			s.Take(',')
		}
		key := s.Plain()
		s.Take(':')
		if s.Odd || !yield(key) {
			return
		}
	}
	s.Take('}')
}

// Items yields once for each value of the array that is next; the value is read or skipped before the next is asked
// for.
func (s *Scanner) Items(yield func() bool) {
	s.Take('[')
	for first := true; !s.Odd && s.Peek() != ']'; first = false {
		if !first {
			s.Take(',')
		}
		if s.Odd || !yield() {
			return
		}
	}
	s.Take(']')
}

// Plain reads the text of the string that is next, if it has neither escapes nor letters beyond ASCII.
func (s *Scanner) Plain() []byte {
	s.Take('"')
	start := s.Pos
	if s.Pos += plainLength(s.Src[s.Pos:]); s.Pos == len(s.Src) || s.Src[s.Pos] != '"' {
		s.Fail()
		return nil
	}
	s.Pos++
	return s.Src[start : s.Pos-1]
}

// Text reads the string that is next.
func (s *Scanner) Text() string {
	s.Take('"')
	start := s.Pos
	ascii := true
	for {
		s.Pos += plainLength(s.Src[s.Pos:])
		if s.Pos == len(s.Src) {
			s.Fail()
			return ""
		}
		switch c := s.Src[s.Pos]; {
		case c == '"':
			text := s.Src[start:s.Pos]
			s.Pos++
			if !ascii && !utf8.Valid(text) {
				s.Fail()
				return ""
			}
			return s.Recent.of(text)
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.Fail()
			return ""
		}
		ascii = false
		s.Pos++
	}
}

// escaped reads on in the string that began at start, from its first escape, where the scanner stands.
func (s *Scanner) escaped(start int) string {
	var text strings.Builder
	text.Grow(s.Pos - start + max(0, bytes.IndexByte(s.Src[s.Pos:], '"'))) // as long as it is written, unless it has quotes
	text.Write(s.Src[start:s.Pos])
	for s.Pos < len(s.Src) {
		n := plainLength(s.Src[s.Pos:])
		text.Write(s.Src[s.Pos : s.Pos+n])
		if s.Pos += n; s.Pos == len(s.Src) {
			break
		}
		switch c := s.Src[s.Pos]; {
		case c == '"':
			s.Pos++
			if !utf8.ValidString(text.String()) {
				s.Fail()
			}
			return text.String()
		case c == '\\':
			s.escape(&text)
		case c < ' ':
			s.Fail()
		default:
			text.WriteByte(c)
			s.Pos++
		}
	}
	s.Fail()
	return ""
}

// escape adds to text what the escape that is next stands for.
func (s *Scanner) escape(text *strings.Builder) {
	if s.Pos+1 >= len(s.Src) {
		s.Fail()
		return
	}
	c := s.Src[s.Pos+1]
	s.Pos += 2
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r := s.hex()
		if 0xD800 <= r && r <= 0xDFFF { // half of a pair means what encoding/json makes of it
			s.Fail()
		}
		text.WriteRune(r)
		return
	default:
		s.Fail()
	}
	text.WriteByte(c)
}

// hex reads the number that the next four digits write.
func (s *Scanner) hex() rune {
	if s.Pos+4 > len(s.Src) {
		s.Fail()
		return 0
	}
	var r rune
	for _, c := range s.Src[s.Pos : s.Pos+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			s.Fail()
			return 0
		}
		r = r<<4 | rune(c)
	}
	s.Pos += 4
	return r
}

// Whole reads the whole number that is next, up to max.
func (s *Scanner) Whole(max uint32) uint64 {
	c := s.Peek()
	start := s.Pos
	var n uint64
	for ; s.Pos < len(s.Src) && '0' <= s.Src[s.Pos] && s.Src[s.Pos] <= '9'; s.Pos++ {
		if n = n*10 + uint64(s.Src[s.Pos]-'0'); n > uint64(max) {
			s.Fail()
			return 0
		}
	}
	if s.Pos == start || c == '0' && s.Pos > start+1 || s.Pos < len(s.Src) && !isDelimiter(s.Src[s.Pos]) {
		s.Fail()
	}
	return n
}

// isDelimiter says what may follow a number or a word.
func isDelimiter(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

// plainLength counts the bytes at the beginning of b that mean themselves in a JSON string and are ASCII: it stops at a
// quote, a backslash, a control character, and a letter beyond ASCII. It looks at eight bytes at once, since
// certificates are most of what is read.
func plainLength[T []byte | string](b T) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24 | uint64(b[i+4])<<32 | uint64(b[i+5])<<40 | uint64(b[i+6])<<48 | uint64(b[i+7])<<56
		quote, backslash := w^ones*'"', w^ones*'\\'
		// Each term sets the high bit of a byte that is zero, or below a space; one above such a byte may be set too,
		// which never hides the first.
		stop := ((quote - ones) &^ quote) | ((backslash - ones) &^ backslash) | ((w - ones*' ') &^ w) | w
		if stop &= highs; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// HasCapital tells keys that encoding/json, which looks past case, may take for another.
func HasCapital(key []byte) bool {
	for _, c := range key {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}
