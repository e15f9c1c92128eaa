package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// TestTextAndBool: whatever stands where a text or a flag is expected, the delivery around it stays readable.
func TestTextAndBool(t *testing.T) {
	yes, no := true, false
	for value, want := range map[string]struct {
		text Text
		flag *bool
	}{
		`"a"`: {"a", nil}, `" a b\n"`: {"a b", nil}, `"\u00e9\ud83d\ude00"`: {"é😀", nil}, `"\ud800"`: {"\ufffd", nil},
		`""`:     {"", nil},
		`"null"`: {"null", nil}, `"<&>\u0000"`: {"<&>\x00", nil},
		`7`: {"7", nil}, `0`: {"0", nil}, `12345678901234567890123`: {"12345678901234567890123", nil}, `-7`: {"",
			nil}, `1.5`: {"", nil}, `1e3`: {"", nil},
		`true`: {"", &yes}, `false`: {"", &no}, `"true"`: {"true", &yes}, `"false"`: {"false", &no},
		`"TRUE"`: {"TRUE", nil}, `"yes"`: {"yes", nil}, `1`: {"1", nil},
		`null`: {"", nil}, `[]`: {"", nil}, `["a"]`: {"", nil}, `{}`: {"", nil}, `{"a":"b"}`: {"", nil},
	} {
		got := struct {
			Text  Text
			Flag  Bool
			After int
		}{Text: "before", Flag: Bool{&no}}
		if err := json.Unmarshal(fmt.Appendf(nil, `{"Text":%s,"Flag":%s,"After":1}`, value, value),
			&got); err != nil || got.After != 1 {
			t.Errorf("%s: the rest is not read: %v", value, err)
		}
		if got.Text != want.text || !reflect.DeepEqual(got.Flag.Value, want.flag) {
			t.Errorf("%s is the text %q and the flag %v", value, got.Text, got.Flag.Value)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tc := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"abcd", 0, ""}, {"éé", 3, "é"}, {"éé", 1, ""}, {"a😀", 4,
			"a"}, {"a😀", 5, "a😀"}, {"\x80\x80\x80", 2, ""},
	} {
		if got := Clip(tc.in, tc.max); got != tc.want {
			t.Errorf("%q clipped to %d is %q, want %q", tc.in, tc.max, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(0, 20).Draw(t, "max")
		got := Clip(s, limit)
		if len(got) > limit || !strings.HasPrefix(s, got) || !utf8.ValidString(got) || len(s) > limit &&
			limit-len(got) >= utf8.UTFMax {
			t.Fatalf("%q clipped to %d is %q", s, limit, got)
		}
	})
}

func TestForm(t *testing.T) {
	for want, in := range map[string][]string{
		"": nil, "b=2&a=1": {"b", "2", "a", "1"}, "a=1": {"x", "", "a", "1", "y", ""}, "a=%26%3D+%C3%A9%0A": {"a",
			"&= é\n"}, "a=1&a=2": {"a", "1", "a", "2"},
	} {
		if got := Form(in...); got != want {
			t.Errorf("%q is the form %q, want %q", in, got, want)
		}
	}
}

// TestMembers: what it reads of an object is what encoding/json reads, the last of two equal keys included, and what it
// does not read it says.
func TestMembers(t *testing.T) {
	const deep = 150
	for body, want := range map[string]map[string]string{
		`{}`:                          {},
		` { "a" : 1 , "b":[ {} ] } `:  {"a": `1`, "b": `[ {} ]`},
		`{"a":1,"b":"x\"}","a":null}`: {"a": `null`, "b": `"x\"}"`},
		`{"a":{"A":1},"":-1.5e+3}`:    {"a": `{"A":1}`, "": `-1.5e+3`},
		`{"A":1}`:                     nil,
		`{"\u0061":1}`:                nil,
		`{"é":1}`:                     nil,
		`{"a":1}{}`:                   nil,
		`{"a":1`:                      nil,
		`{"a":01}`:                    nil,
		`{"a":tru}`:                   nil,
		`[]`:                          nil,
		`null`:                        nil,
		``:                            nil,
		"\ufeff{}":                    nil,
		`{"a":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`: nil,
	} {
		got := map[string]string{}
		if ok := Members([]byte(body), func(key,
			value []byte) {
			got[string(key)] = string(value)
		}); ok != (want != nil) || ok &&
			!reflect.DeepEqual(got, want) {
			t.Errorf("%.60s is read: %v, as %q, want %q", body, ok, got, want)
		}
		var all map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &all) != nil && want != nil {
			t.Errorf("%s is no object of encoding/json", body)
		}
		for key, value := range want {
			if string(all[key]) != value {
				t.Errorf("%s: encoding/json reads %s as %s, want %s", body, key, all[key], value)
			}
		}
	}
}

// TestRedelivery: what is stored of a delivery is read again as it came, whatever the case of its headers.
func TestRedelivery(t *testing.T) {
	sent := &Delivery{Feed: "push", Method: "POST", Query: "a=1&b=%20",
		Header: http.Header{"X-Defguard-Event": {"user_created"}, "Content-Type": {"a/b"}}, Body: []byte(`{"a":1}`)}
	if r := sent.Request(); r.Method != "POST" || r.Query != sent.Query || string(r.Body) != `{"a":1}` ||
		!reflect.DeepEqual(r.Header, map[string][]string(sent.Header)) {
		t.Errorf("of it would be stored %+v", r)
	}
	for name, o := range map[string]*schema.Original{
		"JSON": {Body: json.RawMessage(`{"a":1}`), Headers: map[string]string{"x-defguard-event": "user_created",
			"CONTENT-TYPE": "a/b"}},
		"base64": {BodyBase64: "eyJhIjoxfQ==", Headers: map[string]string{"X-Defguard-Event": "user_created",
			"content-type": "a/b"}},
	} {
		o.Method, o.Query = "POST", "a=1&b=%20"
		if got, err := Redelivery(o, "push"); err != nil || !reflect.DeepEqual(got, sent) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, sent)
		}
	}
	if _, err := Redelivery(&schema.Original{BodyBase64: "&"}, ""); err == nil ||
		!strings.Contains(err.Error(), "the stored body is not base64") {
		t.Errorf("got %v", err)
	}
	for in := range strings.FieldsSeq("x a-b X-DC-DEVKEY content-type -x x- x--y WWW-authenticate") {
		if got, want := canonical(in), http.CanonicalHeaderKey(in); got != want {
			t.Errorf("%q is %q, want %q as net/http has it", in, got, want)
		}
	}
	d := Delivery{Header: map[string][]string{"A": {"1", "2"}, "B": {}}}
	if d.Get("A") != "1" || d.Get("B") != "" || d.Get("a") != "" || (&Delivery{}).Get("A") != "" {
		t.Errorf("the headers are %q %q %q", d.Get("A"), d.Get("B"), d.Get("a"))
	}
}

func TestErrorsKeepTheirDetailsBack(t *testing.T) {
	if got := (&Refusal{Status: 403, Body: []byte("canary")}).Error(); got != "the API refused with status 403" {
		t.Errorf("a refusal says %q", got)
	}
	if got := (&Quarantine{Event: "e", Reason: "The body is not JSON."}).Error(); got != "The body is not JSON." {
		t.Errorf("a quarantine says %q", got)
	}
}
