package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/certtrail/certtrail/ingest/provider"
)

var insertion = regexp.MustCompile(`@([a-z.]+)@`)

func scriptDeliver(ts *testscript.TestScript, _ bool, args []string) {
	source, file, want := args[0], args[1], "200"
	if len(args) > 2 {
		want = args[2]
	}
	content := strings.TrimSpace(ts.ReadFile(file))
	escape := func(s string) string { return url.QueryEscape(s) }
	d := &provider.Delivery{Method: "POST", Header: map[string][]string{}}
	switch filepath.Ext(file) {
	case ".query", ".get":
		d.Method = "GET"
	case ".form":
		d.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	default:
		d.Header["Content-Type"] = []string{"application/json"}
		escape = func(s string) string { b, _ := json.Marshal(s); return strings.Trim(string(b), `"`) }
	}
	content = insertion.ReplaceAllStringFunc(content, func(m string) string { return escape(ts.ReadFile(strings.Trim(m, "@"))) })
	for _, header := range args[min(len(args), 3):] {
		name, value, _ := strings.Cut(header, ": ")
		d.Header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	if d.Body = []byte(content); filepath.Ext(file) == ".query" {
		d.Query, d.Body = strings.ReplaceAll(content, "\n", "&"), nil
	}
	status, body, err := theWorld(ts).deliver(source, d)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
	if fmt.Sprint(status) != want {
		ts.Fatalf("answered %d: %s", status, body)
	}
}
