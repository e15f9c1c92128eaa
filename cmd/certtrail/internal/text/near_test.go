package text

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	names := []string{"digicert-webhook-key", "sectigo-password", "web-listen", "web-url", "hooks-listen", "max-body", "max-bytes", "serve", "send", "log"}
	for name, want := range map[string][]string{
		"digicert-webhok-key": {"digicert-webhook-key"}, "digicert_webhook_key": {"digicert-webhook-key"}, "web-lsiten": {"web-listen"}, "MAX_BODY": {"max-body"},
		"max-byts": {"max-bytes"}, "srve": {"serve"}, "sedn": {"send"}, "lgo": {"log"}, "webhook-key": {"digicert-webhook-key"}, "listen": {"hooks-listen", "web-listen"},
		"sectigo": {"sectigo-password"}, "nonsense": nil, "": nil, "xy": nil,
	} {
		if got := Near(name, names); !slices.Equal(got, want) {
			t.Errorf("near %q are %q, want %q", name, got, want)
		}
	}
	if got, want := DidYouMean("listen", names), "; did you mean hooks-listen or web-listen?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
