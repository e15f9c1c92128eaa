package schema

// raw is the value that is next, as it is written.
func (s *scanner) raw() []byte {
	s.peek()
	start := s.i
	s.skip(0)
	if s.odd {
		return nil
	}
	return s.b[start:s.i:s.i]
}

// skip passes over the value that is next, and holds it to the grammar.
func (s *scanner) skip(depth int) {
	switch c := s.peek(); c {
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
func (s *scanner) skipInside(open byte, depth int) {
	if depth > maxScanDepth {
		s.fail()
		return
	}
	shut := open + 2 // of '{' and of '['
	s.i++
	for first := true; !s.odd && s.peek() != shut; first = false {
		if !first {
			s.take(',')
		}
		if open == '{' {
			s.skipText()
			s.take(':')
		}
		s.skip(depth)
	}
	s.take(shut)
}

func (s *scanner) skipText() {
	s.take('"')
	for {
		s.i += plainLength(s.b[s.i:])
		if s.i == len(s.b) {
			s.fail()
			return
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return
		case c == '\\':
			s.skipEscape()
		case c < ' ':
			s.fail()
		default:
			s.i++
		}
	}
}

func (s *scanner) skipEscape() {
	if s.i+1 >= len(s.b) {
		s.fail()
		return
	}
	c := s.b[s.i+1]
	s.i += 2
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		s.hex()
	default:
		s.fail()
	}
}

func (s *scanner) word(w string) {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		s.fail()
		return
	}
	s.i += len(w)
}

func (s *scanner) skipNumber() {
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	if start := s.i; s.digits() > 1 && s.b[start] == '0' {
		s.fail()
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		s.digits()
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		s.digits()
	}
}

// digits passes over at least one digit and tells how many there were.
func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	if s.i == start {
		s.fail()
		return 0
	}
	return s.i - start
}
