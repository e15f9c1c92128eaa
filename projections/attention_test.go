package projections

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestAttentionOfScanners: what needs a person is the failed verification and the open findings about TLS, and nothing that is settled, gone or fixed.
func TestAttentionOfScanners(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(kind schema.Kind, d schema.Data) {
		n++
		d.Provider, d.Event, d.Decoder = "probely", kind.Name(), "probely/1"
		l.append(schema.New(fmt.Sprintf("probely:%d", n), "/hooks/probely", schema.At(began.Add(time.Duration(n)*time.Minute)), kind, d))
	}
	target := func(id, host string) schema.Data {
		return schema.Data{TargetID: id, Target: &schema.Target{Host: host}}
	}
	finding := func(target string, number, severity int, name, state string) schema.Data {
		return schema.Data{TargetID: target, FindingID: schema.FindingID(target, fmt.Sprint(number)), Finding: &schema.Finding{Name: name, Host: target + ".example", Severity: severity, State: state}}
	}
	failed := target("a/b", "news.example")
	failed.Reason = "no file was found"
	say(schema.TargetVerificationFailed, failed)
	say(schema.TargetVerificationFailed, target("t2", "again.example"))
	say(schema.TargetVerified, target("t2", "again.example"))
	say(schema.FindingDetected, finding("t1", 1, 10, "HSTS header not set", "notfixed"))
	say(schema.FindingDetected, finding("t1", 2, 40, "Expired TLS certificate", "notfixed"))
	say(schema.FindingDetected, finding("t1", 3, 30, "SQL injection", "notfixed"))
	say(schema.FindingDetected, finding("t1", 4, 30, "Weak cipher", "accepted"))
	say(schema.FindingDetected, finding("t1", 5, 30, "Weak cipher", "invalid"))
	say(schema.FindingDetected, finding("t1", 6, 30, "Weak cipher", "notfixed"))
	say(schema.FindingFixed, finding("t1", 6, 30, "Weak cipher", "fixed"))
	say(schema.FindingDetected, finding("gone", 1, 30, "Weak cipher", "notfixed"))
	say(schema.TargetDeleted, target("gone", "gone.example"))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)

	attention, err := s.Attention(context.Background(), began.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	matters := attention.Matters
	var got []string
	for _, m := range matters {
		got = append(got, strings.Join([]string{m.Severity, m.Kind, m.Title, m.Href}, " | "))
	}
	want := []string{
		"warning | target_verification_failed | Verification failed: news.example (probely a/b) | /targets/probely/a%2Fb",
		"warning | finding_detected | Expired TLS certificate: t1.example (probely t1:2) | /findings/probely/t1:2",
		"notice | finding_detected | HSTS header not set: t1.example (probely t1:1) | /findings/probely/t1:1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(matters) > 0 && !strings.Contains(matters[0].Detail, "no file was found") {
		t.Errorf("the detail is %q", matters[0].Detail)
	}
}
