package sectigo

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/schema"
)

const apiPassword = "pa55-word-0123456789"

func client(t *testing.T, status int, answer string) *Client {
	t.Helper()
	server := ingesttest.API(t, ingesttest.Call{
		Method: "GET", Path: "/v2/websites/42/dns/ds_records", Status: status, Answer: answer,
		Header: map[string]string{"Authorization": "Basic dXNlcjpwYTU1LXdvcmQtMDEyMzQ1Njc4OQ==", "Accept": "application/json"},
	})
	caller, err := ask.NewCaller(ask.Options{Name: "Sectigo", Base: server.URL, Authorize: Authorize("user", apiPassword), Secrets: []string{apiPassword}, Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(caller)
}

func TestDSRecords(t *testing.T) {
	at := schema.At(time.Date(2026, 8, 6, 13, 37, 43, 0, time.UTC))
	both := []DSRecord{
		{Domain: "example.test", DS: schema.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: hexSHA256}, Created: &at},
		{Domain: "example.test", DS: schema.DS{KeyTag: 2, Algorithm: 8, DigestType: 1, Digest: hexSHA1}},
	}
	first, second := ds("1", "13", "2", hexSHA256, "2026-08-06T13:37:43Z"), `{"domain":"Example.test","keytag":2,"algorithm":8,"digest_type":1,"digest":"`+hexSHA1+`"}`
	withDomain := strings.Replace(first, "{", `{"domain":"example.test",`, 1)
	for name, tc := range map[string]struct {
		answer string
		want   []DSRecord
	}{
		"list":              {`[` + withDomain + `,` + second + `]`, both},
		"wrapped":           {`{"delegation_signer_record":{"ds_records":[` + withDomain + `,` + second + `],"dns_keys":[{"key_type":"ksk","id":1,"algorithm":"8"}]}}`, both},
		"domain around":     {`{"domain":"example.test","ds_records":[` + first + `,` + second + `]}`, both},
		"one, bare":         {withDomain, both[:1]},
		"none":              {`{"ds_records":[]}`, nil},
		"none, and nothing": {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _, err := client(t, 200, tc.answer).DSRecords(t.Context(), "42"); err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	got, _, err := client(t, 200, `[`+second+`,`+ds("70000", "13", "2", hexSHA256, "")+`]`).DSRecords(t.Context(), "42")
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "a DS record that Sectigo lists of website 42 cannot be read: the DS record's key tag") {
		t.Errorf("beside one that cannot be read: got %+v, %v", got, err)
	}
}

// TestListDS: the answer has all records, and the newest by itself where their times tell it.
func TestListDS(t *testing.T) {
	record := func(tag, digestType, digest, created string) string {
		return ds(tag, "13", digestType, digest, created)
	}
	const early, late, later = "2026-08-06T13:37:43Z", "2026-11-06T13:37:43Z", "2026-11-06T13:37:44Z"
	for name, tc := range map[string]struct {
		answer string
		tags   string // of the records that are listed
		newest uint16 // 0 for none
		digest uint8  // its digest's type
	}{
		"one":                 {`[` + record("1", "2", hexSHA256, early) + `]`, "1", 1, 2},
		"old and new":         {`[` + record("1", "2", hexSHA256, early) + `,` + record("2", "2", hexSHA256, late) + `]`, "1 2", 2, 2},
		"two digests each":    {`[` + record("2", "1", hexSHA1, later) + `,` + record("2", "2", hexSHA256, late) + `,` + record("1", "1", hexSHA1, early) + `]`, "2 2 1", 2, 2},
		"one without time":    {`[` + record("1", "2", hexSHA256, early) + `,` + record("2", "2", hexSHA256, "") + `]`, "1 2", 0, 0},
		"two of one time":     {`[` + record("1", "2", hexSHA256, early) + `,` + record("2", "2", hexSHA256, early) + `]`, "1 2", 0, 0},
		"beside one that can": {`[` + record("70000", "2", hexSHA256, early) + `,` + record("2", "2", hexSHA256, late) + `]`, "2", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := client(t, 200, `{"domain":"Example.test","ds_records":`+tc.answer+`}`).ListDS(t.Context(), "42")
			d := answer.Data
			if err != nil || answer.Kind != schema.DNSSECDescribed || d.WebsiteID != "42" || d.Domain != "example.test" || answer.Delivery == nil {
				t.Fatalf("got %+v, %v", answer, err)
			}
			var tags []string
			for _, one := range d.DSRecords {
				tags = append(tags, fmt.Sprint(one.KeyTag))
			}
			if got := strings.Join(tags, " "); got != tc.tags {
				t.Errorf("lists %s, want %s", got, tc.tags)
			}
			if d.DS == nil && tc.newest != 0 || d.DS != nil && (d.DS.KeyTag != tc.newest || d.DS.DigestType != tc.digest) {
				t.Errorf("the newest is %+v, want %d", d.DS, tc.newest)
			}
			if unreadable := strings.Contains(tc.answer, "70000"); (len(d.Unreadable) == 1) != unreadable {
				t.Errorf("cannot read %+v", d.Unreadable)
			}
		})
	}
	if answer, err := client(t, 200, `{"ds_records":[]}`).ListDS(t.Context(), "42"); err != nil || answer.Kind != "" {
		t.Errorf("of nothing: %+v, %v", answer, err)
	}
}

func TestDSRecordsRefused(t *testing.T) {
	for status, want := range map[int]string{401: "it does not accept the credentials", 404: "see that the website's number is right"} {
		if _, _, err := client(t, status, `{"error":"`+apiPassword+`"}`).DSRecords(t.Context(), "42"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), apiPassword) {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := NewClient(nil).DSRecords(t.Context(), ".."); err == nil {
		t.Error("it is asked without a number")
	}
}
