package web_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestScriptsAreSmall holds what a browser runs to 15 KB, compressed.
func TestScriptsAreSmall(t *testing.T) {
	files, err := filepath.Glob("static/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var compressed bytes.Buffer
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := gzip.NewWriter(&compressed) // each on its own, as they are sent
		w.Write(b)
		w.Close()
	}
	if compressed.Len() > 15_000 {
		t.Errorf("the scripts are %d bytes compressed, want at most 15,000", compressed.Len())
	}
}

// TestPagesAreLight holds every page, its lists full, to 100 KB.
func TestPagesAreLight(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	if n := get(h, "/").Body.Len(); n > 100_000 {
		t.Errorf("the start page is %d bytes, want at most 100,000", n)
	}
	record(t, s, l, full())
	for _, path := range append(pagesOfLists, "/system", "/events", "/orders/xolphin/960770001", "/certificates/xolphin/881002", "/dnssec/sectigo/42") {
		if n := get(h, path).Body.Len(); n > 100_000 {
			t.Errorf("%s is %d bytes, want at most 100,000", path, n)
		}
	}
}

// full tells of more rows of every model than a page of a list has room for.
func full() *story {
	w := &story{s: plain}
	one := 1
	for i := range 100 {
		id, host := fmt.Sprint(i), fmt.Sprintf("host%d.example.com", i)
		w.say("xolphin", day, schema.OrderDescribed, schema.Data{OrderID: id, Certificate: named(host, host, "www."+host)})
		w.say("xolphin", day, schema.OrderCheckFailed, schema.Data{OrderID: id, Check: schema.CheckOrganization, CheckState: schema.CheckFailed, Reason: "not listed"})
		w.say("xolphin", day, schema.CertificateCollected, schema.Data{CertificateID: id, OrderID: id, Certificate: w.certificateOf(1)})
		w.say("digicert", day, schema.DomainValidated, schema.Data{Domain: host, ExpiresAt: pago(-190 * day)})
		w.say("sectigo", day, schema.DNSSECRotationStarted, schema.Data{WebsiteID: id, Domain: host, DS: &schema.DS{KeyTag: 38696, Algorithm: 13, DigestType: 2, Digest: strings.Repeat("683D7A16", 8)}})
		w.say("digicert", day, schema.OrganizationValidated, schema.Data{OrganizationID: id, OrganizationName: "Example Trading B.V.", ValidationType: "OV", ExpiresAt: pago(-300 * day)})
		w.say("sectigo", day, "website.malware_issue_found", schema.Data{TargetType: "Website", TargetID: id})
		w.sayOf("defguard", "user"+id, day, schema.UserKeysProvisioned, schema.User{Person: &schema.Person{Username: "user" + id, Email: "user" + id + "@example.com",
			Keys: []schema.PersonKey{{Kind: schema.KeyPGP, Value: id}, {Kind: schema.KeySSH, Value: adasKey}, {Kind: schema.KeyHardware, Value: id}}}})
		target := &schema.Target{Name: "Shop", Host: host, URL: "https://" + host + "/"}
		w.say("probely", day, schema.TargetVerificationFailed, schema.Data{TargetID: id, Target: target, Reason: "no file was found"})
		w.say("probely", day, schema.ScanCompleted, schema.Data{ScanID: id, TargetID: id, Target: target,
			Scan: &schema.Scan{Profile: "full", StartedAt: pago(6 * time.Hour), CompletedAt: pago(5 * time.Hour), Lows: &one, Mediums: &one, Highs: &one}})
		w.say("probely", day, schema.FindingDetected, schema.Data{FindingID: id + ":1", TargetID: id, Target: target,
			Finding: &schema.Finding{Name: "Weak cipher suites in TLS", Severity: 20, URL: target.URL, State: "notfixed", CVSSScore: 5.3}})
		w.quarantine()
	}
	return w
}
