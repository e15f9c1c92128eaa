package view

import (
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
)

func TestEveryStateHasItsWord(t *testing.T) {
	states := []string{"passed", "failed", "delayed", "pending", "live", "catching_up", "rebuilding", "on", "off", "critical", "warning", "notice", "provisioned"}
	for _, m := range projections.Models() {
		states = append(states, m.About().StateNames()...)
	}
	for _, state := range states {
		if w := StateOf(state); w.Hint == "" || w.Word == "" || w.Icon == "" || w.Tone == "" {
			t.Errorf("%s is %+v", state, w)
		}
	}
	if w := StateOf("malware_issue_found"); w.Word != "malware issue found" || w.Tone != "bad" {
		t.Errorf("a provider's own state is %+v", w)
	}
}

// TestStepsOfPeople: who waits for the CA, or only installs what it issued, is not asked for anything.
func TestStepsOfPeople(t *testing.T) {
	for step, yours := range map[string]bool{"": false, "wait-for-ca": false, "install": false, "answer-ca": true, "ds-submit": true, "something-new": true} {
		if n := NextStepOf(step); n.Yours != yours || (n.Word == "") != (step == "") {
			t.Errorf("%q is %+v", step, n)
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
