package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

// eachSample gives take every sample of every provider.
func eachSample(t *testing.T, take func(t *testing.T, p provider.Provider, sample func() *provider.Delivery)) {
	for _, system := range []provider.System{defguard.System, digicert.System, probely.System, sectigo.System,
		xolphin.System} {
		p := system.New(func(name string) string { return "a-" + name + "-of-at-least-32-characters" })
		for _, sample := range system.Samples {
			t.Run(system.Kind+"/"+sample.Event, func(t *testing.T) {
				take(t, p, func() *provider.Delivery { return sample.Build(maps.Clone(sample.Params)) })
			})
		}
	}
}

// read reads JSON with its numbers as they are written; nil if body is none.
func read(body []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// A style is how a document is written, of the many that mean the same.
type style struct{ reversed, spaced, escaped, twice, asStrings, more bool }

// write writes v in that style.
func (s style) write(v any) string {
	space := ""
	if s.spaced {
		space = "\r\n\t "
	}
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if s.reversed {
			slices.Reverse(keys)
		}
		var members []string
		for _, key := range keys {
			if s.twice {
				members = append(members, s.write(key)+`:"the last of two members counts"`)
			}
			members = append(members, s.write(key)+space+":"+space+s.write(v[key]))
		}
		if s.more {
			members = append(members, `"zz_unknown":[{"id":"9"},"`+strings.Repeat("x", 4_000)+`"]`,
				`"zz_other":null`)
		}
		return "{" + space + strings.Join(members, space+","+space) + space + "}"
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, s.write(item))
		}
		return "[" + space + strings.Join(items, space+","+space) + space + "]"
	case string:
		if s.escaped {
			var b strings.Builder
			for _, unit := range utf16.Encode([]rune(v)) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
			return `"` + b.String() + `"`
		}
	case json.Number:
		if s.asStrings {
			return `"` + v.String() + `"`
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestSpellingMeansNothing: the order of members, white space, escapes, a key that comes twice, numbers as strings and
// members that nobody knows change nothing of what a delivery means.
func TestSpellingMeansNothing(t *testing.T) {
	eachSample(t, func(t *testing.T, p provider.Provider, sample func() *provider.Delivery) {
		kind, data, err := p.Decode(sample())
		if err != nil {
			t.Fatal(err)
		}
		document, isJSON := read(sample().Body).(map[string]any)
		if !isJSON {
			return
		}
		for name, s := range map[string]style{
			"as it is": {}, "reversed": {reversed: true}, "spaced": {spaced: true}, "escaped": {escaped: true},
			"twice": {twice: true}, "numbers as strings": {asStrings: true},
			"more members, and a byte order mark": {more: true}, "all at once": {true, true, true, true, true, true},
		} {
			d := sample()
			d.Body = []byte(s.write(document))
			if s.more {
				d.Body = append([]byte("\ufeff"), d.Body...)
			}
			gotKind, got, err := p.Decode(d)
			if err != nil || gotKind != kind || !reflect.DeepEqual(got, data) {
				t.Errorf("%s it is %s %s (%v), want %s %s", name, gotKind, ingesttest.JSON(t, got), err, kind,
					ingesttest.JSON(t, data))
			}
		}
	})
}

// TestOrderOfParametersMeansNothing: nor do the order and capitals of a query's parameters, or ones that nobody knows.
func TestOrderOfParametersMeansNothing(t *testing.T) {
	eachSample(t, func(t *testing.T, p provider.Provider, sample func() *provider.Delivery) {
		kind, data, err := p.Decode(sample())
		if err != nil {
			t.Fatal(err)
		}
		if sample().Query == "" {
			return
		}
		pairs := strings.Split(sample().Query, "&")
		reversed := slices.Clone(pairs)
		slices.Reverse(reversed)
		var loud, empty []string
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			loud, empty = append(loud, strings.ToUpper(name)+"="+value), append(empty, name+"=")
		}
		for name, query := range map[string]string{
			"reversed": strings.Join(reversed, "&"), "in capitals": strings.Join(loud, "&"), "with more": "zz=1&&" +
				strings.Join(pairs, "&") + "&zz=%00&empty",
			"with empty ones first": strings.Join(empty, "&") + "&" + strings.Join(pairs, "&"),
		} {
			d := sample()
			d.Query = query
			gotKind, got, err := p.Decode(d)
			if err != nil || gotKind != kind || !reflect.DeepEqual(got, data) {
				t.Errorf("%s it is %s %s (%v), want %s %s", name, gotKind, ingesttest.JSON(t, got), err, kind,
					ingesttest.JSON(t, data))
			}
		}
	})
}

// replaced returns v with what stands at path as is; a path that ends in an object or a list takes the whole of it.
func replaced(v any, path []any, is json.RawMessage) any {
	if len(path) == 0 {
		return is
	}
	switch v := v.(type) {
	case map[string]any:
		copied := maps.Clone(v)
		copied[path[0].(string)] = replaced(v[path[0].(string)], path[1:], is)
		if len(path) == 1 && is == nil {
			delete(copied, path[0].(string))
		}
		return copied
	case []any:
		copied := slices.Clone(v)
		copied[path[0].(int)] = replaced(v[path[0].(int)], path[1:], is)
		if len(path) == 1 && is == nil {
			return slices.Delete(copied, path[0].(int), path[0].(int)+1)
		}
		return copied
	}
	panic("no such place")
}

// places returns the paths to everything inside v.
func places(v any, path []any) (all [][]any) {
	at := func(step, inner any) {
		one := append(slices.Clone(path), step)
		all = append(append(all, one), places(inner, one)...)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at(key, v[key])
		}
	case []any:
		for i, item := range v {
			at(i, item)
		}
	}
	return all
}

// TestOddValuesAnywhere: whatever stands in any place of any delivery, the provider's promises are kept: it is
// understood, or quarantined with a reason; it means the same once it is stored; and what is stored bears no
// credential.
func TestOddValuesAnywhere(t *testing.T) {
	odd := []string{"", `null`, `""`, `[]`, `{}`, `true`, `-1.5`, `1e400`, `"\ud800"`, `["a"]`, `[null]`,
		`{"id":{"id":[1]}}`, `"a.b > *"`, `"` + strings.Repeat("é", 600) + `"`}
	eachSample(t, func(t *testing.T, p provider.Provider, sample func() *provider.Delivery) {
		document := read(sample().Body)
		for _, path := range places(document, nil) {
			for _, value := range odd {
				var is json.RawMessage
				if value != "" {
					is = json.RawMessage(value)
				}
				d := sample()
				d.Body = []byte(ingesttest.JSON(t, replaced(document, path, is)))
				ingesttest.Check(t, p, d)
				if t.Failed() {
					t.Fatalf("with %.40s at %v", value, path)
				}
			}
		}
	})
}
