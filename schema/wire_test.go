package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// frozen returns all the frozen events as they stand on the wire, by file.
func frozen(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d frozen events (%v)", len(paths), err)
	}
	events := map[string][]byte{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, wire, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
		events[filepath.Base(path)] = wire
	}
	return events
}

// asEncodingJSON holds what the scanner makes of b against what encoding/json does, and tells whether the scanner took
// it.
func asEncodingJSON(t testing.TB, b []byte) bool {
	t.Helper()
	d := decoder{Scanner: jsonscan.Scanner{Src: b}}
	got := d.event()
	m := decoder{Scanner: jsonscan.Scanner{Src: b}, meaning: true}
	meaning := m.event()
	if got == nil && meaning == nil {
		return false
	}
	var want Event
	if err := json.Unmarshal(b, &want); got != nil && err != nil {
		t.Fatalf("%s\nis read as %+v, and encoding/json says %v", b, got, err)
	}
	if got != nil && !reflect.DeepEqual(got, &want) {
		t.Fatalf("%s\nis read as\n%+v, want\n%+v", b, got, &want)
	}
	wantMeaning, err := decodeOddMeaning(b)
	if meaning != nil && meaning.ID != "" && meaning.Type != "" {
		if meaning.wire = b; err != nil || !reflect.DeepEqual(meaning, wantMeaning) {
			t.Fatalf("%s\nmeans\n%+v, want\n%+v (%v)", b, meaning, wantMeaning, err)
		}
	}
	return got != nil
}

// encodedAsBefore holds the encoder against encoding/json, byte by byte.
func encodedAsBefore(t interface{ Fatalf(string, ...any) }, e *Event) {
	got, err := e.encode()
	want, wantErr := jsonscan.Marshal((*eventJSON)(e))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("encoding %+v: %v, want %v", e, err, wantErr)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Fatalf("encoded\n%s, want\n%s", got, want)
	}
}

func TestFrozenEventsAreReadInOnePass(t *testing.T) {
	for name, wire := range frozen(t) {
		if !asEncodingJSON(t, wire) {
			t.Errorf("%s is left to encoding/json", name)
		}
		e, err := Decode(wire)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := e.Encode(); err != nil || !bytes.Equal(again, wire) {
			t.Errorf("%s is written again as\n%s (%v), was\n%s", name, again, err, wire)
		}
	}
}

// TestEveryFieldIsOnTheWire gives every field a value of its own, so that one which the decoder or the encoder forgot
// is missed.
func TestEveryFieldIsOnTheWire(t *testing.T) {
	var e Event
	fill(t, reflect.ValueOf(&e).Elem())
	encodedAsBefore(t, &e)
	wire, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !asEncodingJSON(t, wire) {
		t.Error("it is left to encoding/json")
	}
	if again, err := Decode(wire); err != nil || !reflect.DeepEqual(again, &e) {
		t.Errorf("read again it is\n%+v (%v), was\n%+v", again, err, e)
	}
}

func fill(t *testing.T, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *Time:
		*p = At(time.Date(2026, 11, 21, 22, 0, 0, 123e6, time.UTC))
		return
	case *json.RawMessage:
		*p = json.RawMessage(`{"a":[1,{"b":"c"}]}`)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.Type().Name() + "ü\"\\\n\x01 <b>\u2028")
	case reflect.Uint8, reflect.Uint16:
		v.SetUint(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(-7)
	case reflect.Float64:
		v.SetFloat(6.1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for key, value := range map[string]string{"b": "2", "a": "1"} {
			v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(value).Convert(v.Type().Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				fill(t, v.Field(i))
			}
		}
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

// odd lists documents that the scanner must leave to encoding/json, or read as that does.
var odd = []string{
	``, `null`, `[]`, `"x"`, `1`, `{`, `{}`, `{} x`, `{"id":"1"} {}`, `{"id":"1",}`, `{,"id":"1"}`, `{"id" "1"}`, `{"id":"1" "type":"t"}`,
	`{"id":"1","type":"t","id":"2"}`, `{"ID":"1","Type":"t"}`, `{"id":"1","type":"t","ſource":"s"}`, `{"\u0069d":"1","type":"t"}`,
	`{"id":null,"type":"t","time":null,"data":null}`, `{"id":1,"type":"t"}`, `{"id":"1","type":"t","data":{"order_id":12}}`,
	`{"id":"1","type":"t","data":{"ds":{"key_tag":65536}}}`, `{"id":"1","type":"t","data":{"ds":{"key_tag":1.0}}}`,
	`{"id":"1","type":"t","data":{"ds":{"key_tag":01}}}`, `{"id":"1","type":"t","data":{"ds":{"key_tag":1e2,"algorithm":-1}}}`,
	`{"id":"1","type":"t","data":{"ds":{"key_tag":7,"key_tag":8},"ds":{"digest":"d"}}}`, `{"id":"1","type":"t","data":{"ds":null}}`,
	`{"id":"1","type":"t","data":{"unreadable":[{"part":"a"}],"unreadable":[{"reason":"b"}]}}`, `{"id":"1","type":"t","data":{"unreadable":[]}}`,
	`{"id":"1","type":"t","data":{"unreadable":[{"part":"a",}]}}`, `{"id":"1","type":"t","data":{"unreadable":[,]}}`, `{"id":"1","type":"t","data":{"unreadable":[null]}}`,
	`{"id":"1","type":"t","data":{"certificate":{"dns_names":["a","b"],"dns_names":["c"]}}}`, `{"id":"1","type":"t","data":{"certificate":{"dns_names":[]}}}`,
	`{"id":"1","type":"t","data":{"certificate":{"dns_names":["a" "b"]}}}`, `{"id":"1","type":"t","data":{"certificate":{"not_before":""}}}`,
	`{"id":"\ud83d\ude00","type":"\ud83d","subject":"\u00fc\u0000\/\b\f\n\r\t"}`, `{"id":"\x","type":"t"}`, `{"id":"\u12","type":"t"}`, `{"id":"\u12g4","type":"t"}`,
	"{\"id\":\"\xff\",\"type\":\"t\"}", "{\"id\":\"a\nb\",\"type\":\"t\"}", "{\"id\":\"a\x7fb\",\"type\":\"ü\"}", "{\"\xff\":1,\"id\":\"1\",\"type\":\"t\"}",
	`{"id":"1","type":"t","time":"2026-11-21"}`, `{"id":"1","type":"t","time":" 2026-11-21 10:00:00 "}`, `{"id":"1","type":"t","time":"tomorrow"}`, `{"id":"1","type":"t","time":"2026\u002d11-21"}`,
	`{"id":"1","type":"t","x":{"a":[1,-0.5e+3,true,false,null,"\ud800"]}}`, `{"id":"1","type":"t","x":-}`, `{"id":"1","type":"t","x":01}`, `{"id":"1","type":"t","x":1.}`,
	`{"id":"1","type":"t","x":1e}`, `{"id":"1","type":"t","x":.5}`, `{"id":"1","type":"t","x":+1}`, `{"id":"1","type":"t","x":nul}`, `{"id":"1","type":"t","x":truefalse}`,
	`{"id":"1","type":"t","x":[1,]}`, `{"id":"1","type":"t","x":{"a":1,}}`, `{"id":"1","type":"t","x":{1:2}}`, `{"id":"1","type":"t","x":[}`, `{"id":"1","type":"t","x":{]}`,
	`{"id":"1","type":"t","x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, `{"id":"1","type":"t","x":` + strings.Repeat("[", 11000) + strings.Repeat("]", 11000) + `}`,
	`{"id":"1","type":"t","data":{"original":{"method":"PUT","query":"ü","headers":{"a":"1","a":"2","A":"3"},"body": {"a" : [ 1 ] } ,"body_base64":"x"}}}`,
	`{"id":"1","type":"t","data":{"user":null,"target":{},"scan":{"lows":1.5},"finding":{"severity":7}}}`, `{"id":"1","type":"t","data":{"user":{"active":true},"user":{"keys":[]}}}`,
	`{"id":"1","type":"t","data":{"user":{"Sealed":"s","Person":{"name":"n"},"keys":[null,{"kind":"pgp"}]},"target":{"verified":null,"x":1}}}`, `{"id":"1","type":"t","data":{"finding":[]}}`,
	`{"id":"1","type":"t","data":{"checks":{"csr":"passed","csr":"failed"},"checks":{"CSR":"x"}}}`, `{"id":"1","type":"t","data":{"checks":null}}`,
	`{"id":"1","type":"t","data":{"checks":{"csr":null}}}`, `{"id":"1","type":"t","data":{"checks":{"\u0063sr":"passed"}}}`, `{"id":"1","type":"t","data":{"checks":{}}}`,
	`{"id":"1","type":"t","data":{"original":{"headers":null,"body":null}}}`, `{"id":"1","type":"t","data":{"original":null}}`, `{"id":"1","type":"t","data":{"original":7}}`,
	`{"id":"1","type":"t","data":{"original":{"body":1},"original":{"query":"q"}}}`, `{"id":"1","type":"t","data":{"Original":{"body":1}}}`,
	" \t\r\n{ \"id\" : \"1\" , \"type\" : \"t\" , \"data\" : { } } \n", "\ufeff{\"id\":\"1\",\"type\":\"t\"}", "{\"id\":\"1\",\"type\":\"t\"}\x00",
}

func TestOddEventsMeanTheSame(t *testing.T) {
	for _, s := range odd {
		asEncodingJSON(t, []byte(s))
		got, err := Decode([]byte(s))
		want, wantErr := decodeOdd([]byte(s))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%.200s: %v, want %v", s, err, wantErr)
		}
		if err != nil {
			continue
		}
		again, err := got.Encode()
		wantAgain, wantErr := want.Encode()
		if err != nil || wantErr != nil {
			t.Fatalf("%.200s cannot be written: %v, %v", s, err, wantErr)
		}
		if first, second := known(t, again), known(t, wantAgain); first != second {
			t.Errorf("%.200s\nsurvives as\n%s, want\n%s", s, again, wantAgain)
		}
	}
}

// known returns what this program knows of an event on the wire, in one form.
func known(t testing.TB, wire []byte) string {
	t.Helper()
	e, err := Decode(wire)
	if err != nil {
		t.Fatalf("%s\ncannot be read: %v", wire, err)
	}
	b, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEncodingIsThatOfEncodingJSON(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "plain", "12345678", "1234567\"", "<a href=\"&\">", "\u2028\u2029\u202a", "\xff", "\x7f", strings.Repeat("x", 1000) + "\n"}))
	rapid.Check(t, func(t *rapid.T) {
		at := At(time.UnixMilli(rapid.Int64Range(-1e14, 1e14).Draw(t, "time")))
		e := New(text.Draw(t, "id"), text.Draw(t, "source"), at, Kind(text.Draw(t, "kind")), Data{
			Provider: text.Draw(t, "provider"), OrderID: text.Draw(t, "order"), Reason: text.Draw(t, "reason"), ExpiresAt: &at,
			DSRecords: rapid.SliceOfN(rapid.Map(text, func(s string) DS { return DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: s} }), 0, 3).Draw(t, "ds_records"),
			Checks:    rapid.MapOf(text, rapid.Map(text, func(s string) CheckState { return CheckState(s) })).Draw(t, "checks"),
			Original: &Original{
				Method: "POST", Query: text.Draw(t, "query"), Headers: rapid.MapOf(text, text).Draw(t, "headers"),
				Body: json.RawMessage(rapid.SampledFrom([]string{"", "null", `{"a":1}`, ` { "a" : 1 } `, `{"a":"<b>\u2028 ` + "\u2028\xff" + `"}`, "{", "1 2", strings.Repeat("[", 200) + strings.Repeat("]", 200)}).Draw(t, "body")),
			},
		})
		encodedAsBefore(t, e)
	})
}

func FuzzDecode(f *testing.F) {
	for _, wire := range frozen(f) {
		f.Add(wire)
	}
	for _, s := range odd {
		if len(s) < 1000 {
			f.Add([]byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		asEncodingJSON(t, b)
		e, err := Decode(b)
		if err != nil {
			return
		}
		encodedAsBefore(t, e)
		wire, err := e.Encode()
		if err != nil {
			t.Fatalf("an event that was read cannot be written: %v", err)
		}
		if was, is := known(t, b), known(t, wire); was != is {
			t.Fatalf("after it was written it is\n%s, before\n%s", is, was)
		}
	})
}

// FuzzQuote holds strings against encoding/json, on the way out and back.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", "\u2028", "\xff\xfe", "12345678\"", "\x00\x1f\x7f", "ü€😀", `\ud800`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var w writer
		w.quote(s)
		want, _ := jsonscan.Marshal(s)
		if !bytes.Equal(w.b, want) {
			t.Fatalf("%q is quoted as %s, want %s", s, w.b, want)
		}
		sc := jsonscan.Scanner{Src: want}
		if got := sc.Text(); sc.Odd || got != strings.ToValidUTF8(s, "\ufffd") && json.Unmarshal(want, &s) == nil && got != s {
			t.Fatalf("%s is read as %q (odd: %t)", want, got, sc.Odd)
		}
	})
}

// BenchmarkEvent measures one event's way to and from the wire beside encoding/json: a delivery of two ids in 1 KiB,
// and one with a certificate in it.
func BenchmarkEvent(b *testing.B) {
	small := New("0199c0de-0000-7000-8000-000000000001", "/hooks/digicert", At(time.Now()), OrderIssued, Data{
		Provider: "digicert", Event: "certificate_issued", Decoder: "digicert/1", OrderID: "12345", CertificateID: "23456",
		Original: &Original{Method: "POST", Headers: map[string]string{"content-type": "application/json", "x-webhook-key": "[redacted]", "user-agent": "DigiCert"},
			Body: json.RawMessage(`{"event":"certificate_issued","data":{"order_id":12345,"certificate_id":23456,"note":"` + strings.Repeat("x", 300) + `"}}`)},
	})
	chain, err := Decode(frozen(b)["digicert-certificate_issued.v1.json"])
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]*Event{"small": small, "chain": chain} {
		wire, err := e.Encode()
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name string
			do   func() error
		}{
			{"Encode", func() error { _, err := e.Encode(); return err }},
			{"Encode-encoding/json", func() error { _, err := jsonscan.Marshal((*eventJSON)(e)); return err }},
			{"Decode", func() error { _, err := Decode(wire); return err }},
			{"Decode-encoding/json", func() error { _, err := decodeOdd(wire); return err }},
			{"DecodeMeaning", func() error { _, err := DecodeMeaning(wire); return err }},
			{"DecodeMeaning-encoding/json", func() error { _, err := decodeOddMeaning(wire); return err }},
		} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(wire)))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
