package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	matterItem  = regexp.MustCompile(`(?s)<li data-key="matter-.*?</li>`)
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)
)

// scriptDecide plays a person without JavaScript: it opens the start page, and sends the form of the first matter that
// matches the pattern. It sends it twice, as an impatient person does, which decides nothing more.
//
// decide PATTERN DECISION [NAME=VALUE…]
func scriptDecide(ts *testscript.TestScript, _ bool, args []string) {
	w := theWorld(ts)
	w.caughtUp(ts)
	resp, err := http.Get(w.web + "/")
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	ts.Check(err)
	form := url.Values{"decision": {args[1]}}
	for _, item := range matterItem.FindAllString(string(body), -1) {
		if !regexp.MustCompile(args[0]).MatchString(item) || form.Has("kind") {
			continue
		}
		for _, field := range hiddenInput.FindAllStringSubmatch(item, -1) {
			form.Set(field[1], html.UnescapeString(field[2]))
		}
	}
	if !form.Has("kind") {
		ts.Fatalf("no matter with a form matches %s in\n%s", args[0], body)
	}
	for _, pair := range args[2:] {
		name, value, _ := strings.Cut(pair, "=")
		form.Set(name, value)
	}
	for range 2 {
		r, err := http.NewRequest(http.MethodPost, w.web+"/attention", strings.NewReader(form.Encode()))
		ts.Check(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin") // as browsers say
		resp, err := http.DefaultClient.Do(r)
		ts.Check(err)
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/" || resp.Request.Method != http.MethodGet {
			ts.Fatalf("the form leads to %s %s: %d\n%s", resp.Request.Method, resp.Request.URL, resp.StatusCode, answer)
		}
	}
}
