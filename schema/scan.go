package schema

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// scanner reads JSON in one pass, without making a tree. It takes no more than encoding/json does, and whatever is rare or has a meaning that
// is not obvious (null, a key twice, a key in capitals, half a surrogate pair, what is no JSON) it calls odd: then its caller asks encoding/json,
// which has the last word on what such a document means. So what is read here needs to be right, and need not be complete.
type scanner struct {
	b   []byte
	i   int
	odd bool // nothing that was read counts; the scanner stands at the end

	spaced bool // there was white space between tokens

	lately *lately // nil: each string has memory of its own
}

// lately are strings that were read before. Most of what an event says is what the one before said: a word that is known needs no memory.
type lately [512]string

// maxWord is how long a string is, at most, that is kept so.
const maxWord = 64

// of is text as a string.
func (l *lately) of(text []byte) string {
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

func (s *scanner) fail() {
	s.odd = true
	s.i = len(s.b)
}

// peek is the first byte of the next token, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.spaced = true
		default:
			return c
		}
	}
	return 0
}

// take passes over the token c, which must be next.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail()
		return
	}
	s.i++
}

// end is the end of the document.
func (s *scanner) end() {
	if s.peek(); s.i < len(s.b) {
		s.fail()
	}
}

// members yields the keys of the object that is next; each value is read or skipped before the next key is asked for.
func (s *scanner) members(yield func(key []byte) bool) {
	s.take('{')
	for first := true; !s.odd && s.peek() != '}'; first = false {
		if !first {
			s.take(',')
		}
		key := s.plain()
		s.take(':')
		if s.odd || !yield(key) {
			return
		}
	}
	s.take('}')
}

// items yields once for each value of the array that is next; the value is read or skipped before the next is asked for.
func (s *scanner) items(yield func() bool) {
	s.take('[')
	for first := true; !s.odd && s.peek() != ']'; first = false {
		if !first {
			s.take(',')
		}
		if s.odd || !yield() {
			return
		}
	}
	s.take(']')
}

// plain is the text of the string that is next, if it has neither escapes nor letters beyond ASCII.
func (s *scanner) plain() []byte {
	s.take('"')
	start := s.i
	if s.i += plainLength(s.b[s.i:]); s.i == len(s.b) || s.b[s.i] != '"' {
		s.fail()
		return nil
	}
	s.i++
	return s.b[start : s.i-1]
}

// text is the string that is next.
func (s *scanner) text() string {
	s.take('"')
	start := s.i
	ascii := true
	for {
		s.i += plainLength(s.b[s.i:])
		if s.i == len(s.b) {
			s.fail()
			return ""
		}
		switch c := s.b[s.i]; {
		case c == '"':
			text := s.b[start:s.i]
			s.i++
			if !ascii && !utf8.Valid(text) {
				s.fail()
				return ""
			}
			return s.lately.of(text)
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.fail()
			return ""
		}
		ascii = false
		s.i++
	}
}

// escaped is the string that began at start and has its first escape where the scanner stands.
func (s *scanner) escaped(start int) string {
	var text strings.Builder
	text.Grow(s.i - start + max(0, bytes.IndexByte(s.b[s.i:], '"'))) // as long as it is written, unless it has quotes
	text.Write(s.b[start:s.i])
	for s.i < len(s.b) {
		n := plainLength(s.b[s.i:])
		text.Write(s.b[s.i : s.i+n])
		if s.i += n; s.i == len(s.b) {
			break
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			if !utf8.ValidString(text.String()) {
				s.fail()
			}
			return text.String()
		case c == '\\':
			s.escape(&text)
		case c < ' ':
			s.fail()
		default:
			text.WriteByte(c)
			s.i++
		}
	}
	s.fail()
	return ""
}

// escape adds to text what the escape that is next stands for.
func (s *scanner) escape(text *strings.Builder) {
	if s.i+1 >= len(s.b) {
		s.fail()
		return
	}
	c := s.b[s.i+1]
	s.i += 2
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
			s.fail()
		}
		text.WriteRune(r)
		return
	default:
		s.fail()
	}
	text.WriteByte(c)
}

// hex is the number that the next four digits write.
func (s *scanner) hex() rune {
	if s.i+4 > len(s.b) {
		s.fail()
		return 0
	}
	var r rune
	for _, c := range s.b[s.i : s.i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			s.fail()
			return 0
		}
		r = r<<4 | rune(c)
	}
	s.i += 4
	return r
}

// whole is the whole number that is next, up to max.
func (s *scanner) whole(max uint64) uint64 {
	c := s.peek()
	start := s.i
	var n uint64
	for ; s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9'; s.i++ {
		if n = n*10 + uint64(s.b[s.i]-'0'); n > max {
			s.fail()
			return 0
		}
	}
	if s.i == start || c == '0' && s.i > start+1 || s.i < len(s.b) && !isDelimiter(s.b[s.i]) {
		s.fail()
	}
	return n
}

// plainLength is how many bytes at the beginning of b mean themselves in a JSON string and are ASCII: it stops at a quote, a backslash, a control
// character, and a letter beyond ASCII. It looks at eight bytes at once, since certificates are most of what is read.
func plainLength[T []byte | string](b T) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24 | uint64(b[i+4])<<32 | uint64(b[i+5])<<40 | uint64(b[i+6])<<48 | uint64(b[i+7])<<56
		quote, backslash := w^ones*'"', w^ones*'\\'
		// Each term sets the high bit of a byte that is zero, or below a space; one above such a byte may be set too, which never hides the first.
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
