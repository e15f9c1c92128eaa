package jsonscan

// Raw returns the value that is next, as it is written.
func (s *Scanner) Raw() []byte {
	s.Peek()
	start := s.Pos
	s.Skip()
	if s.Odd {
		return nil
	}
	return s.Src[start:s.Pos:s.Pos]
}

// Skip passes over the value that is next, and holds it to the grammar.
func (s *Scanner) Skip() { s.skip(0) }

// skip does that for a value depth arrays and objects deep.
func (s *Scanner) skip(depth int) {
	switch c := s.Peek(); c {
	case '"':
		s.skipText()
	case '{', '[':
		s.skipInside(c, depth+1)
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.skipNumber()
	}
}

// skipInside passes over the object or array that begins with open.
func (s *Scanner) skipInside(open byte, depth int) {
	if depth > maxScanDepth {
		s.Fail()
		return
	}
	shut := open + 2 // of '{' and of '['
	s.Pos++
	for first := true; !s.Odd && s.Peek() != shut; first = false {
		if !first {
			s.Take(',')
		}
		if open == '{' {
			s.skipText()
			s.Take(':')
		}
		s.skip(depth)
	}
	s.Take(shut)
}

func (s *Scanner) skipText() {
	s.Take('"')
	for {
		s.Pos += plainLength(s.Src[s.Pos:])
		if s.Pos == len(s.Src) {
			s.Fail()
			return
		}
		switch c := s.Src[s.Pos]; {
		case c == '"':
			s.Pos++
			return
		case c == '\\':
			s.skipEscape()
		case c < ' ':
			s.Fail()
		default:
			s.Pos++
		}
	}
}

func (s *Scanner) skipEscape() {
	if s.Pos+1 >= len(s.Src) {
		s.Fail()
		return
	}
	c := s.Src[s.Pos+1]
	s.Pos += 2
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		s.hex()
	default:
		s.Fail()
	}
}

func (s *Scanner) word(w string) {
	if len(s.Src)-s.Pos < len(w) || string(s.Src[s.Pos:s.Pos+len(w)]) != w {
		s.Fail()
		return
	}
	s.Pos += len(w)
}

func (s *Scanner) skipNumber() {
	if s.Pos < len(s.Src) && s.Src[s.Pos] == '-' {
		s.Pos++
	}
	if start := s.Pos; s.digits() > 1 && s.Src[start] == '0' {
		s.Fail()
	}
	if s.Pos < len(s.Src) && s.Src[s.Pos] == '.' {
		s.Pos++
		s.digits()
	}
	if s.Pos < len(s.Src) && s.Src[s.Pos]|0x20 == 'e' {
		s.Pos++
		if s.Pos < len(s.Src) && (s.Src[s.Pos] == '+' || s.Src[s.Pos] == '-') {
			s.Pos++
		}
		s.digits()
	}
}

// digits passes over at least one digit and tells how many there were.
func (s *Scanner) digits() int {
	start := s.Pos
	for s.Pos < len(s.Src) && '0' <= s.Src[s.Pos] && s.Src[s.Pos] <= '9' {
		s.Pos++
	}
	if s.Pos == start {
		s.Fail()
		return 0
	}
	return s.Pos - start
}
