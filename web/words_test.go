package web

import (
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func TestEveryStateHasItsWord(t *testing.T) {
	s, err := newServer(Options{Store: &projections.Store{}, Log: struct{ Log }{}, Providers: func() []Provider { return nil }, Hosts: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	states := append([]string{"passed", "failed", "delayed", "pending", "live", "catching_up", "rebuilding", "on", "off", "critical", "warning", "notice"}, s.orders.states...)
	states = append(append(append(states, s.certificates.states...), s.domains.states...), s.organizations.states...)
	states = append(append(append(append(states, "provisioned"), s.users.states...), s.targets.states...), append(s.scans.states, s.findings.states...)...)
	for _, state := range append(states, s.dnssecs.states...) {
		if w := stateOf(state); w.Hint == "" || w.Word == "" || w.Icon == "" || w.Tone == "" {
			t.Errorf("%s is %+v", state, w)
		}
	}
	if w := stateOf("malware_issue_found"); w.Word != "malware issue found" || w.Tone != "bad" {
		t.Errorf("a provider's own state is %+v", w)
	}
}

func TestEveryStepIsExplained(t *testing.T) {
	for _, step := range []string{"wait-for-ca", "answer-ca", "read-message", "approve", "reissue", "install", "replace", "order-again", "ds-submit", "ds-retract"} {
		if n := nextStepOf(step); n.Word == "" || n.Do == "" {
			t.Errorf("%s is %+v", step, n)
		}
	}
}

func TestCheckAsHeading(t *testing.T) {
	for name, want := range map[string]string{"": "", schema.CheckCSR: "CSR", "moon_phase": "Moon phase", schema.DomainCheck("xn--bcher-kva.example"): "bücher.example"} {
		if got := checkName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago",
		47 * time.Hour: "47 h ago", 48 * time.Hour: "2 d ago", 59 * 24 * time.Hour: "59 d ago", 60 * 24 * time.Hour: "22 Sep 2026", -90 * time.Minute: "in 1 h",
		-30 * 24 * time.Hour: "in 30 d", -400 * 24 * time.Hour: "26 Dec 2027"} {
		if got := agoText(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestLasted(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "less than a minute", 59 * time.Minute: "59 min", time.Hour: "1 h", 3*time.Hour + 12*time.Minute: "3 h 12 min", 24 * time.Hour: "1 d", 52 * time.Hour: "2 d 4 h",
		59*24*time.Hour + time.Minute: "59 d", 61*24*time.Hour + 5*time.Hour: "61 d", -time.Hour: "less than a minute"} {
		if got := lastedText(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSubjectFilters(t *testing.T) {
	for subject, ok := range map[string]bool{"": true, ">": true, "certs.>": true, "certs.order.*.digicert.12345": true, "*.order.>": true, "certs.domain.*.*.com.example.>": true,
		"certs": true, "certs.": false, ".": false, "certs.>.x": false, "certs.a*": false, "certs.a b": false, "orders.>": false} {
		if err := checkFilter(subject); (err == nil) != ok {
			t.Errorf("%q: %v", subject, err)
		}
	}
}
