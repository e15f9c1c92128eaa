package jsonscan

import "encoding/json"

// Valid does what json.Valid does, sooner.
func Valid(b []byte) bool {
	s := Scanner{Src: b}
	s.Skip()
	s.End()
	return !s.Odd || json.Valid(b)
}

// Quoted returns the string that is next as it is written, with its quotes. The document is known to be valid, here and
// below.
func (s *Scanner) Quoted() []byte {
	s.Peek()
	start := s.Pos
	s.skipText()
	return s.Src[start:s.Pos]
}

// Literal returns the number, true, false or null that is next, as it is written.
func (s *Scanner) Literal() []byte {
	s.Peek()
	start := s.Pos
	for s.Pos < len(s.Src) && !isDelimiter(s.Src[s.Pos]) {
		s.Pos++
	}
	return s.Src[start:s.Pos]
}

// Pass moves past the value that is next, however deep it goes.
func (s *Scanner) Pass() {
	for depth := 0; ; {
		switch s.Peek() {
		case '"':
			s.skipText()
		case '{', '[':
			depth++
			s.Pos++
		case '}', ']':
			depth--
			s.Pos++
		case ',', ':':
			s.Pos++
		case 0:
			return
		default:
			s.Literal()
		}
		if depth == 0 {
			return
		}
	}
}
