package sectigo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/schema"
)

var (
	hexSHA1   = strings.Repeat("aB", 20)
	hexSHA256 = strings.Repeat("aB", 32)
	hexSHA384 = strings.Repeat("aB", 48)
)

// ds writes a record as the page shows it: all values strings.
func ds(tag, algorithm, digestType, digest, created string) string {
	return fmt.Sprintf(`{"keytag":%q,"algorithm":%q,"digest_type":%q,"digest":%q,"created_at":%q,"updated_at":%q}`, tag, algorithm, digestType, digest, created, created)
}

func decodeBody(t *testing.T, body string) schema.Data {
	t.Helper()
	p := System.New(setting)
	d := post(`{"id":1,"event":"website_dnssec_rotation_start","target":{"type":"Website","id":42,"domain":"target.test"},"body":` + body + `,"partner":{"id":1}}`)
	ingesttest.Check(t, p, d)
	ingesttest.Redacted(t, p, d)
	kind, data, err := p.Decode(d)
	if err != nil || kind != schema.DNSSECRotationStarted || data.WebsiteID != "42" {
		t.Fatalf("%s: got %s %+v, error %v", body, kind, data, err)
	}
	return data
}

func TestDSShapes(t *testing.T) {
	want := schema.DS{KeyTag: 12345, Algorithm: 13, DigestType: 2, Digest: hexSHA256}
	documented := ds("12345", "13", "2", hexSHA256, "2026-08-06T13:37:43Z")
	for name, body := range map[string]string{
		"documented":            `{"delegation_signer_record":{"ds_records":[` + documented + `],"dns_keys":[{"key_type":"ksk","id":1,"type":"257","protocol":"3","algorithm":"8","pub_key":"AA=="}]}}`,
		"numbers":               `{"keytag":12345,"algorithm":13,"digest_type":2,"digest":"` + hexSHA256 + `"}`,
		"in a list":             `[` + documented + `]`,
		"wrapped":               `{"ds_record":` + documented + `}`,
		"list":                  `{"ds_records":[` + documented + `]}`,
		"key_tag":               `{"ds":{"key_tag":"12345","algorithm":"13","digest_type":"2","digest":"` + hexSHA256 + `"}}`,
		"camel case":            `{"dsRecord":{"keyTag":12345,"algorithm":13,"digestType":2,"digest":"` + hexSHA256 + `"}}`,
		"mnemonics":             `{"keytag":"12345","algorithm":"ecdsap256sha256","digest_type":"SHA-256","digest":"` + hexSHA256 + `"}`,
		"mnemonics with dashes": `{"keytag":" 12345 ","algorithm":"ECDSA-P256-SHA256","digest_type":"sha256","digest":"` + hexSHA256 + `"}`,
		"spaces":                `{"keytag":"12345","algorithm":"13","digest_type":"2","digest":"` + hexSHA256[:32] + ` \n ` + hexSHA256[32:] + `"}`,
		"presentation":          `{"record":"example.test. 3600 IN DS 12345 13 2 ` + hexSHA256 + `"}`,
		"presentation, bare":    `"example.test. IN DS 12345 ECDSAP256SHA256 SHA256 ` + hexSHA256[:10] + ` ` + hexSHA256[10:] + `"`,
		"presentation, lines":   `["example.test. 3600 IN DS 12345 13 2 (\n ` + hexSHA256[:32] + ` ; first half\n ` + hexSHA256[32:] + ` )"]`,
		"presentation, two":     `"a. IN DS 12345 13 1 ` + hexSHA1 + `\na. IN DS 12345 13 2 ` + hexSHA256 + `"`,
		"rdata":                 `{"ds_record":"12345 13 2 ` + hexSHA256 + `"}`,
		"deep":                  `{"a":{"b":[{"c":{"d":[` + documented + `]}}]}}`,
		"beside prose":          `{"message":"The new DS record is below.","note":"DS 1","record":` + documented + `}`,
		"old one beside":        `{"previous_ds":` + ds("1", "8", "2", hexSHA256, "2027-01-01T00:00:00Z") + `,"new_ds":` + documented + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			data := decodeBody(t, body)
			if data.DS == nil || *data.DS != want || data.Unreadable != nil {
				t.Errorf("got %+v, unreadable %v", data.DS, data.Unreadable)
			}
		})
	}
}

func TestDSPreference(t *testing.T) {
	const early, late = "2026-08-06T13:37:43Z", "2026-09-06T13:37:43Z"
	for name, tc := range map[string]struct {
		records []string
		want    uint16
	}{
		"SHA-256 first":       {[]string{ds("1", "13", "1", hexSHA1, late), ds("2", "13", "4", hexSHA384, late), ds("3", "13", "2", hexSHA256, early)}, 3},
		"then SHA-384":        {[]string{ds("1", "13", "1", hexSHA1, late), ds("2", "13", "4", hexSHA384, early), ds("3", "13", "5", hexSHA256, late)}, 2},
		"then SHA-1":          {[]string{ds("1", "13", "5", hexSHA256, late), ds("2", "13", "1", hexSHA1, early)}, 2},
		"then others":         {[]string{ds("1", "13", "200", "abcd", early)}, 1},
		"newest among equals": {[]string{ds("1", "13", "2", hexSHA256, early), ds("2", "13", "2", hexSHA256, late), ds("3", "13", "2", hexSHA256, early)}, 2},
		"else the first":      {[]string{ds("1", "13", "2", hexSHA256, ""), ds("2", "13", "2", hexSHA256, "")}, 1},
		"a time beats none":   {[]string{ds("1", "13", "2", hexSHA256, "?"), ds("2", "13", "2", hexSHA256, early)}, 2},
	} {
		data := decodeBody(t, `{"ds_records":[`+strings.Join(tc.records, ",")+`]}`)
		if data.DS == nil || data.DS.KeyTag != tc.want || data.Unreadable != nil {
			t.Errorf("%s: got %+v, unreadable %v", name, data.DS, data.Unreadable)
		}
	}
}

func TestDSUnreadable(t *testing.T) {
	for body, want := range map[string]string{
		`{}`: "the body holds no DS record", `null`: "the body holds no DS record", `"soon"`: "the body holds no DS record",
		`{"old_ds":` + ds("1", "13", "2", hexSHA256, "") + `}`: "the body holds no DS record",
		ds("65536", "13", "2", hexSHA256, ""):                  `the DS record's key tag "65536" is not a number from 0 to 65535`,
		ds("", "13", "2", hexSHA256, ""):                       `the DS record's key tag "" is not a number from 0 to 65535`,
		ds("-1", "13", "2", hexSHA256, ""):                     `the DS record's key tag "-1" is not a number from 0 to 65535`,
		ds("1", "256", "2", hexSHA256, ""):                     `the DS record's algorithm "256" is neither a number from 1 to 255 nor a known name`,
		ds("1", "0", "2", hexSHA256, ""):                       `the DS record's algorithm "0" is neither a number from 1 to 255 nor a known name`,
		ds("1", "ROT13", "2", hexSHA256, ""):                   `the DS record's algorithm "ROT13" is neither a number from 1 to 255 nor a known name`,
		ds("1", "13", "SHA-3", hexSHA256, ""):                  `the DS record's digest type "SHA-3" is neither a number from 1 to 255 nor a known name`,
		ds("1", "13", "2", hexSHA1, ""):                        "the DS record's digest has 20 bytes, digest type 2 has 32",
		ds("1", "13", "1", hexSHA256, ""):                      "the DS record's digest has 32 bytes, digest type 1 has 20",
		ds("1", "13", "3", hexSHA1, ""):                        "the DS record's digest has 20 bytes, digest type 3 has 32",
		ds("1", "13", "4", hexSHA256, ""):                      "the DS record's digest has 32 bytes, digest type 4 has 48",
		ds("1", "13", "2", hexSHA256[:63], ""):                 "the DS record's digest is not hex",
		ds("1", "13", "2", "x"+hexSHA256[1:], ""):              "the DS record's digest is not hex",
		ds("1", "13", "2", "", ""):                             "the DS record has no digest",
		ds("1", "13", "9", strings.Repeat("ab", 129), ""):      "the DS record's digest has 129 bytes, more than any digest has",
		`{"keytag":1,"digest":"ab"}`:                           `the DS record's algorithm "" is neither a number from 1 to 255 nor a known name`,
		`{"keytag":1.5,"algorithm":8,"digest_type":2}`:         `the DS record's key tag "1.5" is not a number from 0 to 65535`,
		`"a. IN DS 12345 13 2 soon"`:                           "the DS record's digest is not hex",
	} {
		data := decodeBody(t, body)
		if data.DS != nil || len(data.Unreadable) != 1 || data.Unreadable[0] != (schema.Unreadable{Part: "ds", Reason: want}) {
			t.Errorf("%s: got %+v, unreadable %v", body, data.DS, data.Unreadable)
		}
	}
	data := decodeBody(t, `{"ds_records":[`+ds("1", "13", "2", "?", "")+`,`+ds("2", "13", "1", hexSHA1, "")+`]}`)
	if data.DS == nil || data.DS.KeyTag != 2 || len(data.Unreadable) != 1 {
		t.Errorf("beside one that cannot be read: got %+v, unreadable %v", data.DS, data.Unreadable)
	}
	if data := decodeBody(t, strings.Repeat("[", 500)+ds("1", "13", "2", hexSHA256, "")+strings.Repeat("]", 500)); data.DS != nil {
		t.Errorf("too deep: got %+v", data.DS)
	}
}

func TestDSDomain(t *testing.T) {
	record := strings.TrimSuffix(ds("1", "13", "2", hexSHA256, ""), "}")
	for body, want := range map[string]string{
		`{"domain":"Body.test.","ds_record":` + record + `}}`:                           "body.test",
		`{"domain":"body.test","ds_record":` + record + `,"domain":"record.test"}}`:     "record.test",
		`{"domain":{"id":1,"name":"body.test"},"ds_records":[` + record + `}]}`:         "body.test",
		`{"website":{"id":42,"domain":"b\u00fccher.test"},"ds_record":` + record + `}}`: "xn--bcher-kva.test",
		`{"website":{"domain":"site.test","ds_record":` + record + `}}}`:                "site.test",
		`{"domain_name":"body.test","ds_record":` + record + `}}`:                       "body.test",
		`{"ds_record":"own.test. IN DS 1 13 2 ` + hexSHA256 + `","domain":"body.test"}`: "own.test",
		`{"ds_record":"DS 1 13 2 ` + hexSHA256 + `","domain":"body.test"}`:              "body.test",
		`{"domain":"not a name","ds_record":` + record + `}}`:                           "target.test",
		`[` + record + `}]`: "target.test",
	} {
		data := decodeBody(t, body)
		if data.Domain != want || data.DS == nil || data.Unreadable != nil {
			t.Errorf("%s: got domain %q, DS %+v, unreadable %v", body, data.Domain, data.DS, data.Unreadable)
		}
	}
	_, data, err := System.New(setting).Decode(post(`{"event":"website_dnssec_rotation_start","target":{"id":1},"body":{"domain":"not a name","d":` + record + `}}}`))
	if err != nil || data.Domain != "" || len(data.Unreadable) != 1 || data.Unreadable[0].Part != "domain" {
		t.Errorf("got %+v, error %v", data, err)
	}
}
