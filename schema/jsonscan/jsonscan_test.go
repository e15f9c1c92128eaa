package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

var documents = []string{
	`{}`, `[]`, `""`, `0`, `-1.5e+3`, `true`, `null`, ` { "a" : [ 1 , "\u00e9\n\"" , {} ] , "b":{"c":"x"} } `, `"\ud800"`, `"\ud83d\ude00"`, "\"\xff\"",
	strings.Repeat("[", 150) + strings.Repeat("]", 150), strings.Repeat(`{"a":`, 150) + "1" + strings.Repeat("}", 150), `"<&>\u2028"`, `{"a":1,"a":2}`,
	``, ` `, `{`, `}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `01`, `1.`, `.5`, `1e`, `-`, `tru`, `"\x"`, `"\u12g4"`, "\"\n\"", `"a`, `1 2`, "[1\x00]", `"a"b`,
}

// FuzzScanner: what is valid is what encoding/json calls so; and all of a valid document is passed over, copied and
// quoted as it does.
func FuzzScanner(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := Valid(b), json.Valid(b); got != want {
			t.Fatalf("%q is valid: %t, want %t", b, got, want)
		}
		s := Scanner{Src: b}
		if s.Skip(); !s.Odd {
			if s.End(); !s.Odd && !json.Valid(b) {
				t.Fatalf("%q is skipped as if it were valid", b)
			}
		}
		if !json.Valid(b) {
			return
		}
		s = Scanner{Src: b}
		if s.Pass(); len(bytes.TrimSpace(b[s.Pos:])) > 0 || s.Odd {
			t.Fatalf("of %q the end %q is left", b, b[s.Pos:])
		}
		var text string
		if trimmed := bytes.TrimSpace(b); trimmed[0] == '"' && json.Unmarshal(trimmed, &text) == nil {
			s = Scanner{Src: b}
			if raw := s.Quoted(); !bytes.Equal(raw, trimmed) || Unquote(raw) != text {
				t.Fatalf("%q is %q, want %q", raw, Unquote(raw), text)
			}
			if s = (Scanner{Src: b}); s.Text() != text && !s.Odd {
				t.Fatalf("%q is not read as %q", b, text)
			}
			if want, _ := Marshal(text); !bytes.Equal(AppendQuoted(nil, text), want) {
				t.Fatalf("%q is quoted as %s, want %s", text, AppendQuoted(nil, text), want)
			}
		}
	})
}
