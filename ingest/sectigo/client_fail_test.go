package sectigo

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/provider"
)

// TestListDSFails: an answer that is none says what was asked for, and bears no credential.
func TestListDSFails(t *testing.T) {
	const asking = "asking Sectigo to list the DS records of website 42 failed: "
	for _, answer := range []struct {
		status     int
		text, want string
		later      bool // asking again later may help
	}{
		{401, ``, asking + "it does not accept the credentials. Set sectigo-api-username", false},
		{403, `{}`, asking + "it does not accept the credentials", false},
		{404, `<html>`, asking + "see that the website's number is right", false},
		{422, `[]`, asking + "see that the website's number is right, and that DNSSEC is enabled for it", false},
		{429, `{}`, "it was asked too often (status 429)", true},
		{502, apiPassword, "failed with status 502", true},
		{307, ``, "sent elsewhere (status 307)", false},
		{200, "<html>" + apiPassword, "answered with a page instead of JSON", true},
		{200, `{"ds_records":[`, "answered with something instead of JSON", true},
		{200, ``, "answered with nothing instead of JSON", true},
	} {
		_, err := client(t, answer.status, answer.text).ListDS(t.Context(), "42")
		if err == nil || !strings.Contains(err.Error(), answer.want) || strings.Contains(err.Error(), apiPassword) {
			t.Errorf("answered %d %q: got %v, want %s", answer.status, answer.text, err, answer.want)
		}
		if _, later := errors.AsType[*ask.Unavailable](err); later != answer.later {
			t.Errorf("answered %d: that asking later may help is %t, want %t", answer.status, later, answer.later)
		}
		if refusal, refused := errors.AsType[*provider.Refusal](err); refused != (answer.status >= 400 &&
			!answer.later) || refused && refusal.Status != answer.status {
			t.Errorf("answered %d: is a refusal: %t", answer.status, refused)
		}
	}
	for _, id := range []string{"", " ", ".", "..", strings.Repeat("1", 257)} {
		if _, err := NewClient(nil).ListDS(t.Context(), id); err == nil {
			t.Errorf("%.10q is a website's number", id)
		}
	}
}

// TestListDSOfOddAnswers: what is no record is none, and what cannot be read of one is told beside the others.
func TestListDSOfOddAnswers(t *testing.T) {
	good := `{"keytag":"1","algorithm":"13","digest_type":"2","digest":"` + hexSHA256 + `"}`
	for answer, want := range map[string]struct{ records, unreadable int }{
		`{}`: {0, 0}, `[]`: {0, 0}, `7`: {0, 0}, `"ds_records"`: {0, 0}, `{"ds_records":null}`: {0, 0},
		`{"ds_records":"none"}`: {0, 0}, `[null,true,[]]`: {0, 0},
		`[` + good + `]`: {1, 0}, `{"a":{"b":[{"c":` + good + `}]}}`: {1, 0},
		`[` + strings.Replace(good, `"13"`, `13.5`, 1) + `,` + good + `]`:      {1, 1},
		`[` + strings.Replace(good, `"1"`, `"65536"`, 1) + `]`:                 {0, 1},
		`[` + strings.Replace(good, hexSHA256, "49FDGH", 1) + `,` + good + `]`: {1, 1},
		strings.Repeat("[", 100) + good + strings.Repeat("]", 100):             {0, 0},
		// deeper than anybody nests it
	} {
		got, err := client(t, 200, answer).ListDS(t.Context(), "42")
		if err != nil || len(got.Data.DSRecords) != want.records || len(got.Data.Unreadable) != want.unreadable {
			t.Errorf("%.80s: got %d records and %v, %v; want %+v", answer, len(got.Data.DSRecords),
				got.Data.Unreadable, err, want)
		}
		if (got.Kind == "") != (want.records+want.unreadable == 0) {
			t.Errorf("%.80s is the event %q", answer, got.Kind)
		}
	}
}

// TestEndpoint: the API is on once all of it is set, and what goes over the wire is known as a secret.
func TestEndpoint(t *testing.T) {
	for _, tc := range []struct {
		username, password, base string
		on                       bool
	}{
		{"", "", "", false}, {"u", "p", "", false}, {"u", "", "https://h", false}, {"", "p", "https://h", false},
		{"u", "p", "https://h", true},
	} {
		values := map[string]string{settingAPIUsername: tc.username, settingAPIPassword: tc.password,
			settingAPIURL: tc.base}
		at, on := System.API.At(func(name string) string { return values[name] })
		if on != tc.on || at.Base != tc.base || !slices.Equal(at.Secrets, []string{tc.password, Basic(tc.username,
			tc.password)}) {
			t.Errorf("%+v: got %+v, %v", tc, at, on)
		}
		header := map[string][]string{}
		if at.Authorize(header); header["Authorization"][0] != "Basic "+at.Secrets[1] {
			t.Errorf("%+v: it sends %q", tc, header)
		}
	}
}
