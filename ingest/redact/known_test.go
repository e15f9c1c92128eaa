package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// escaped writes s as JSON may: every character as \uXXXX, in capitals or not.
func escaped(s, verb string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u`+verb, unit)
	}
	return b.String()
}

// percent writes s as a URL may: every byte as %XX, in capitals or not.
func percent(s, verb string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `%%`+verb, s[i])
	}
	return b.String()
}

func inQuotes(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b[1 : len(b)-1])
}

// stands tells whether secret stands in s, as it is or once s is read as a URL or as JSON is.
func stands(secret, s string) bool {
	if strings.Contains(s, secret) || strings.Contains(s, base64.StdEncoding.EncodeToString([]byte(secret))) {
		return true
	}
	if unescaped, err := url.QueryUnescape(s); err == nil && strings.Contains(unescaped, secret) {
		return true
	}
	if unescaped, err := url.PathUnescape(s); err == nil && strings.Contains(unescaped, secret) {
		return true
	}
	var v any
	return json.Unmarshal([]byte(s), &v) == nil && standsInside(secret, v)
}

func standsInside(secret string, v any) bool {
	switch v := v.(type) {
	case string:
		return stands(secret, v)
	case []any:
		for _, item := range v {
			if standsInside(secret, item) {
				return true
			}
		}
	case map[string]any:
		for key, item := range v {
			if stands(secret, key) || standsInside(secret, item) {
				return true
			}
		}
	}
	return false
}

// TestNoKnownValueSurvives: a credential that is known stands nowhere in what is stored, wherever it was put and
// however it was written there.
func TestNoKnownValueSurvives(t *testing.T) {
	secrets := rapid.StringOfN(rapid.SampledFrom([]rune(`aZ09-_.~/\"'&=+% ?#:@<>{}[]é€😀`)), knownMinimum, 24, -1)
	rapid.Check(t, func(t *rapid.T) {
		secret := strings.TrimSpace(secrets.Draw(t, "secret"))
		if len(secret) < knownMinimum || json.Valid([]byte(secret)) {
			t.Skip("too short to be looked for, or itself the JSON that it stands in")
		}
		quoted, base := inQuotes(secret), base64.StdEncoding.EncodeToString([]byte(secret))
		query, path := url.QueryEscape(secret), url.PathEscape(secret)
		for name, d := range map[string]Request{
			"header":               {Header: map[string][]string{"X-Odd": {"a " + secret + " b", base}}},
			"query":                {Query: "a=" + query + "&b=x" + path + "&c=" + base},
			"query, as a name":     {Query: query + "=1&" + query},
			"query, all escaped":   {Query: "a=" + percent(secret, "%02X") + "&b=1"},
			"query, small letters": {Query: "a=x" + percent(secret, "%02x") + "y&b=1"},
			"form":                 post("application/x-www-form-urlencoded", "a="+query+"&b=1"),
			"form, small letters": post("application/x-www-form-urlencoded", "a="+percent(secret,
				"%02x")+"&b=1"),
			"text":              post("text/plain", "it is "+secret+" and "+base+"."),
			"JSON":              post("application/json", `{"a":["x`+quoted+`y",1]}`),
			"JSON, as a key":    post("application/json", `{"x`+quoted+`":1}`),
			"JSON, escaped":     post("application/json", `{"a":"`+escaped(secret, "%04x")+`"}`),
			"JSON, in capitals": post("application/json", `{"`+escaped(secret, "%04X")+`":null}`),
			"JSON in JSON":      post("application/json", `{"a":"`+inQuotes(`{"b":["`+quoted+`"]}`)+`"}`),
			"JSON in JSON, escaped": post("application/json", `{"a":"`+inQuotes(`{"b":["`+escaped(secret,
				"%04x")+`"]}`)+`"}`),
			"JSON, base64": post("application/json", `{"a":"`+inQuotes(base)+`"}`),
			"JSON, as in a URL": post("application/json",
				`{"a":"https://example.test/?k=`+inQuotes(query)+`"}`),
			"JSON, alone": post("application/json", ` "`+quoted+`" `),
			"parts": post("multipart/form-data; boundary=zz",
				"--zz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"+secret+"\r\n--zz--\r\n"),
			"XML":                        post("text/xml", "<a>"+secret+"</a>"),
			"JSON that is cut off":       post("application/json", `{"a":"`+secret+`","b":`),
			"said to be something else":  post("image/png", secret),
			"behind a byte order mark":   post("application/json", "\ufeff"+`{"a":"`+quoted+`"}`),
			"in the middle of base64url": post("application/json", `{"a":"`+inQuotes(secret+secret)+`"}`),
		} {
			o := Redact(d, nil, []string{"another-one", secret})
			body, err := base64.StdEncoding.DecodeString(o.BodyBase64)
			if err != nil {
				t.Fatal(err)
			}
			for _, kept := range []string{o.Query, o.Headers["x-odd"], string(o.Body), string(body)} {
				if stands(secret, kept) {
					t.Errorf("%s: it stands in %q", name, kept)
				}
			}
			if all := o.Query + o.Headers["x-odd"] + string(o.Body) + string(body); !strings.Contains(all, Mark) {
				t.Errorf("%s: it was not taken out of %q as a whole", name, all)
			}
			if len(o.Body) > 0 && !json.Valid(o.Body) {
				t.Errorf("%s: it is no JSON any more: %s", name, o.Body)
			}
		}
	})
}

// TestShortValuesAreNotLookedFor: a credential of a few letters would be found in innocent places.
func TestShortValuesAreNotLookedFor(t *testing.T) {
	const body = `{"note":"example of 1234567"}`
	o := Redact(post("application/json", body), nil, []string{"", "a", "example", "1234567"})
	if string(o.Body) != body {
		t.Errorf("it became %s", o.Body)
	}
	if got := Credentials("key=12345678 1234567", []string{"12345678", "1234567"}); got != "key="+Mark+" 1234567" {
		t.Errorf("it became %s", got)
	}
}

// TestTransportIsNotStored: how a delivery came here says nothing of what it tells, and may tell of people.
func TestTransportIsNotStored(t *testing.T) {
	d := Request{Header: map[string][]string{"Content-Type": {"application/json"}, "X-Defguard-Event": {"a", "b"},
		"User-Agent": {"x"}, "X-Forwarder": {"y"}, "X-Bad": {"a\xffb"}}}
	for name := range transport {
		d.Header[name] = []string{"192.0.2.1"}
	}
	d.Header["X-Forwarded-For"], d.Header["X-Forwarded-Host"] = []string{"192.0.2.1"}, []string{"h"}
	got := Redact(d, nil, nil).Headers
	want := map[string]string{"content-type": "application/json", "x-defguard-event": "a, b", "user-agent": "x",
		"x-forwarder": "y", "x-bad": "a\ufffdb"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stored are %q, want %q", got, want)
	}
}
