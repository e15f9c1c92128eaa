package xolphin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// TestEveryCallFails: whatever is asked, an answer that is none says what was asked for, and bears no credential.
func TestEveryCallFails(t *testing.T) {
	first := ingesttest.Call{Path: "requests", Query: "page=1"}
	for name, one := range map[string]struct {
		call func(c *Client) error
		then ingesttest.Call   // the call that fails
		done []ingesttest.Call // before it
	}{
		"list the requests": {func(c *Client) error {
			_, err := c.Standings(t.Context(), time.Time{},
				time.Time{})
			return err
		}, first, nil},
		"list the certificates": {func(c *Client) error {
			_, err := c.Standings(t.Context(), time.Time{},
				time.Time{})
			return err
		},
			ingesttest.Call{Path: "certificates", Query: "page=1"}, []ingesttest.Call{page("requests", 1, 1)}},
		"describe request 1": {func(c *Client) error { _, _, err := c.Describe(t.Context(), "1"); return err },
			ingesttest.Call{Path: "requests/1"}, nil},
		"describe certificate 1": {func(c *Client) error { _, err := c.Certificate(t.Context(), "1"); return err },
			ingesttest.Call{Path: "certificates/1"}, nil},
		"hand out certificate 12 as CRT": {func(c *Client) error {
			_, err := c.Collect(t.Context(), "1",
				"12")
			return err
		},
			ingesttest.Call{Path: "certificates/12/download", Query: "format=CRT"}, nil},
		"hand out certificate 12 as CA_BUNDLE": {func(c *Client) error {
			_, err := c.Collect(t.Context(), "1",
				"12")
			return err
		},
			ingesttest.Call{Path: "certificates/12/download", Query: "format=CA_BUNDLE"},
			[]ingesttest.Call{{Path: "certificates/12/download", Query: "format=CRT", Answer: "x",
				Type: "text/plain"}}},
	} {
		file := strings.HasPrefix(name, "hand out")
		asking := "asking Xolphin to " + name + " failed: "
		for _, answer := range []struct {
			status     int
			text, want string
			later      bool // asking again later may help
			json       bool // only where JSON is expected
		}{
			{401, `{"message":"Account credentials are invalid."}`, asking +
				"it does not accept the credentials. Set xolphin-api-username", false, false},
			{403, ``, asking + "it does not accept the credentials", false, false},
			{404, `<html>`, asking + "it does not know of it", false, false},
			{400, `{"message":"No ` + apiPassword + `"}`, asking + `it says "No [redacted]"`, false, false},
			{422, `{"message":["x"]}`, asking + `it says "nothing"`, false, false},
			{429, `{}`, "it was asked too often (status 429)", true, false},
			{500, `{}`, "failed with status 500", true, false},
			{301, ``, "sent elsewhere (status 301)", false, false},
			{200, "<!DOCTYPE html><title>" + apiPassword, "answered with a page instead of", true, false},
			{200, `{"id":1`, "answered with something instead of JSON", true, true},
		} {
			if answer.json && file {
				continue
			}
			call := one.then
			call.Status, call.Answer = answer.status, answer.text
			err := one.call(client(t, append(append([]ingesttest.Call{}, one.done...), call)...))
			if err == nil || !strings.Contains(err.Error(), answer.want) ||
				strings.Contains(err.Error(), apiPassword) {
				t.Errorf("%s, answered %d %q: got %v, want %s", name, answer.status, answer.text, err, answer.want)
			}
			if _, later := errors.AsType[*ask.Unavailable](err); later != answer.later {
				t.Errorf("%s, answered %d: that asking later may help is %t, want %t", name, answer.status, later,
					answer.later)
			}
		}
	}
}

// TestPagesEnd: a list ends where its pages do, however many it says there are; it never goes on for ever, and an item
// is taken once.
func TestPagesEnd(t *testing.T) {
	raw := func(n int, body string) ingesttest.Call {
		return ingesttest.Call{Path: "requests", Query: fmt.Sprintf("page=%d", n), Answer: body}
	}
	one, two := `{"id":1,"domainName":"a.test"}`, `{"id":"2","domainName":"b.test"}`
	for name, tc := range map[string]struct {
		calls []ingesttest.Call
		want  string
	}{
		"no list":  {[]ingesttest.Call{raw(1, `{}`)}, ""},
		"null":     {[]ingesttest.Call{raw(1, `null`)}, ""},
		"no count": {[]ingesttest.Call{raw(1, `{"_embedded":{"requests":[`+one+`]}}`)}, "1"},
		"count as a string": {[]ingesttest.Call{raw(1, `{"pages":"2","_embedded":{"requests":[`+one+`]}}`), raw(2,
			`{"pages":"2","_embedded":{"requests":[`+two+`]}}`)}, "1 2"},
		"odd count": {[]ingesttest.Call{raw(1, `{"pages":"many","_embedded":{"requests":[`+one+`]}}`)},
			"1"},
		"count of none":       {[]ingesttest.Call{raw(1, `{"pages":0,"_embedded":{"requests":[`+one+`]}}`)}, "1"},
		"fewer than it says":  {[]ingesttest.Call{page("requests", 1, 9, one), page("requests", 2, 9)}, "1"},
		"fewer as it is read": {[]ingesttest.Call{page("requests", 1, 3, one), page("requests", 2, 2, two)}, "1 2"},
		"moved to the next": {[]ingesttest.Call{page("requests", 1, 2, one), page("requests", 2, 2, one, two)},
			"1 2"},
		"another list": {[]ingesttest.Call{raw(1, `{"pages":5,"_embedded":{"certificates":[`+one+`]}}`)}, ""},
		"odd items": {[]ingesttest.Call{page("requests", 1, 1, `7`, `null`, `{"id":{}}`, `{"id":3}`, two)},
			"3 2"},
	} {
		list, err := client(t, tc.calls...).Requests(t.Context())
		var ids []string
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, tc.want)
		}
	}
}

// TestEndpoint: the API is on once both credentials are set, and what goes over the wire is known as a secret.
func TestEndpoint(t *testing.T) {
	for _, tc := range []struct {
		username, password, base, want string
		on                             bool
	}{
		{"", "", "", DefaultAPI, false}, {"user", "", "", DefaultAPI, false}, {"", "pw", "", DefaultAPI, false},
		{"user", "pw", "", DefaultAPI, true},
		{"user", "pw", "https://test-api.xolphin.com/v1", "https://test-api.xolphin.com/v1", true},
	} {
		values := map[string]string{settingAPIUsername: tc.username, settingAPIPassword: tc.password,
			settingAPIURL: tc.base}
		at, on := System.API.At(func(name string) string { return values[name] })
		if on != tc.on || at.Base != tc.want || at.Rate <= 0 || at.Burst < 1 {
			t.Errorf("%+v: got %+v, %v", tc, at, on)
		}
		header := map[string][]string{}
		at.Authorize(header)
		if got := header["Authorization"]; len(got) != 1 || got[0] != "Basic "+at.Secrets[1] ||
			at.Secrets[0] != tc.password {
			t.Errorf("%+v: it sends %q, and knows the secrets %q", tc, got, at.Secrets)
		}
	}
	if _, ok := System.API.Client(provider.Caller(nil)).(ask.Describer); !ok {
		t.Error("its client describes no orders")
	}
}
