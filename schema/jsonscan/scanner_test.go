package jsonscan

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// value draws a JSON value as it may be written: with spaces, escapes, odd numbers, keys twice, and now and then with
// one byte changed.
func value(depth int) *rapid.Generator[string] {
	leaf := rapid.OneOf(
		rapid.SampledFrom([]string{"null", "true", "false", `""`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud800"`, `"\/"`,
			"\"\x7f\"", "\"\xff\"", `"\x"`, `"\u12g4"`, "\"\t\""}),
		rapid.SampledFrom([]string{"0", "-0", "7", "4294967295", "4294967296", "18446744073709551616", "1.5", "-1e-7",
			"01", "1.", "+1", ".5", "1E+", "NaN"}),
		rapid.Custom(func(t *rapid.T) string {
			b, err := json.Marshal(rapid.String().Draw(t, "text"))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}))
	if depth == 0 {
		return leaf
	}
	inner := value(depth - 1)
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r"})
	return rapid.Custom(func(t *rapid.T) string {
		var parts []string
		open, shut := "[", "]"
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			return leaf.Draw(t, "leaf")
		case 1:
			parts = rapid.SliceOfN(inner, 0, 4).Draw(t, "items")
		default:
			open, shut = "{", "}"
			keys := rapid.SampledFrom([]string{`"a"`, `"b"`, `"A"`, `""`, `"\u0061"`, `"é"`, "a", "1"})
			for _, one := range rapid.SliceOfN(inner, 0, 4).Draw(t, "values") {
				parts = append(parts, keys.Draw(t, "key")+space.Draw(t, "s")+":"+space.Draw(t, "s")+one)
			}
		}
		s := space.Draw(t, "s")
		return s + open + s + strings.Join(parts, s+","+s) + s + shut
	})
}

func document(t *rapid.T) []byte {
	doc := []byte(value(3).Draw(t, "document"))
	if len(doc) > 0 && rapid.IntRange(0, 3).Draw(t, "damage") == 0 {
		doc[rapid.IntRange(0, len(doc)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("{}[],:\"\\ 0a\x00\xff")).Draw(t,
			"byte")
	}
	return doc
}

// TestScannerIsNoMoreThanEncodingJSON: of a document that it does not call odd it reads what encoding/json reads.
func TestScannerIsNoMoreThanEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := document(t)
		if got, want := Valid(doc), json.Valid(doc); got != want {
			t.Fatalf("%q is valid: %v, want %v", doc, got, want)
		}
		s := Scanner{Src: doc}
		raw := s.Raw()
		if s.End(); !s.Odd && string(raw) != strings.TrimSpace(string(doc)) {
			t.Fatalf("of %q %q is read as it is", doc, raw)
		}
		s = Scanner{Src: doc, Recent: new(Recent)}
		got, ok := read(&s)
		if s.End(); s.Odd || !ok {
			return
		}
		var want any
		dec := json.NewDecoder(strings.NewReader(string(doc)))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is read as %#v, want %#v (%v)", doc, got, want, err)
		}
	})
}

// read reads the next value as encoding/json does into an any, with the scanner's own steps.
func read(s *Scanner) (v any, ok bool) {
	switch c := s.Peek(); {
	case c == '"':
		return s.Text(), true
	case c == '{':
		object := map[string]any{}
		for key := range s.Members {
			if object[string(key)], ok = read(s); !ok {
				s.Fail()
			}
		}
		return object, true
	case c == '[':
		list := []any{}
		for range s.Items {
			item, ok := read(s)
			if list = append(list, item); !ok {
				s.Fail()
			}
		}
		return list, true
	case '0' <= c && c <= '9':
		return json.Number(fmt.Sprint(s.Whole(math.MaxUint32))), true
	}
	switch string(s.Raw()) {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	}
	return nil, false
}

func TestQuotedIsAsEncodingJSONQuotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(),
			rapid.StringOf(rapid.SampledFrom([]rune("a\"\\\b\f\n\r\t\x00\x1f\x7f<&>é\u2028\u2029😀"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		want, err := Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got := AppendQuoted([]byte("x"), s)
		if string(got) != "x"+string(want) {
			t.Fatalf("%q is quoted as %s, want %s", s, got[1:], want)
		}
		scanner := Scanner{Src: want}
		text := scanner.Text()
		if again := Unquote(want); scanner.Odd || text != again || utf8.ValidString(s) && text != s {
			t.Fatalf("%s stands for %q and %q, want %q", want, text, again, s)
		}
	})
}

func TestWhole(t *testing.T) {
	for doc, want := range map[string]struct {
		n   uint64
		odd bool
	}{
		"0": {0, false}, " 7 ": {7, false}, "255": {255, false}, "256": {0, true}, "99999999999999999999": {0, true},
		"00": {0, true}, "07": {0, true},
		"-1": {0, true}, "1.5": {0, true}, "1e2": {0, true}, "7,": {7, false}, "7]": {7, false}, "7}": {7, false},
		"7x": {0, true}, "": {0, true}, `"7"`: {0, true}, "null": {0, true},
	} {
		s := Scanner{Src: []byte(doc)}
		if n := s.Whole(255); s.Odd != want.odd || !want.odd && n != want.n {
			t.Errorf("%q is read as %d, odd %v; want %d, %v", doc, n, s.Odd, want.n, want.odd)
		}
	}
}

// TestOddEndsIt: a scanner that found something odd stands at the end and reads nothing more, so that no loop over it
// goes on.
func TestOddEndsIt(t *testing.T) {
	for _, doc := range []string{`{"a":1,}`, `{"a" 1}`, `{"é":1}`, `{"a\u0062":1}`, `{,}`, `[1 2]`, `[,]`, `[`, `{`,
		`{"a":`, strings.Repeat("[", maxScanDepth+2) + strings.Repeat("]", maxScanDepth+2)} {
		s := Scanner{Src: []byte(doc)}
		times := 0
		if s.Peek() == '{' {
			for range s.Members {
				s.Skip()
				times++
			}
		} else {
			for range s.Items {
				s.Skip()
				times++
			}
		}
		if s.End(); !s.Odd || s.Pos != len(doc) || times > 2 || s.Raw() != nil || s.Peek() != 0 {
			t.Errorf("%.20q: odd %v, at %d of %d after %d", doc, s.Odd, s.Pos, len(doc), times)
		}
	}
}

func TestRecentKeepsWords(t *testing.T) {
	var recent Recent
	const long = maxWord + 1
	for _, word := range []string{"order.issued", "", "a", strings.Repeat("x", maxWord), strings.Repeat("x", long),
		"é", "order.issued", "order.isszed"} {
		s := Scanner{Src: []byte(`"` + word + `"`), Recent: &recent}
		if got := s.Text(); got != word {
			t.Errorf("%q is read as %q", word, got)
		}
	}
	doc := []byte(`"order.issued"`)
	known := testing.AllocsPerRun(10, func() { s := Scanner{Src: doc, Recent: &recent}; _ = s.Text() })
	if fresh := testing.AllocsPerRun(10, func() { s := Scanner{Src: doc}; _ = s.Text() }); known != 0 || fresh == 0 {
		t.Errorf("a word that is known takes %v allocations, without memory %v", known, fresh)
	}
}

func TestSpacedAndCapitals(t *testing.T) {
	for doc, want := range map[string]bool{`{"a":[1,"b c"]}`: false, ` {"a":1}`: true, `{"a": 1}`: true, `{"a":1}` +
		"\n": true, `" "`: false} {
		s := Scanner{Src: []byte(doc)}
		s.Skip()
		if s.End(); s.Spaced != want {
			t.Errorf("%q is spaced: %v, want %v", doc, s.Spaced, want)
		}
	}
	for key, want := range map[string]bool{"": false, "order_id": false, "orderID": true, "É": false, "[@`{": false, "Z": true, "A": true} {
		if got := HasCapital([]byte(key)); got != want {
			t.Errorf("%q has capitals: %v, want %v", key, got, want)
		}
	}
}
