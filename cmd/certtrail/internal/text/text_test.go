package text

import (
	"errors"
	"testing"
)

func TestSentenceOf(t *testing.T) {
	for text, want := range map[string]string{
		"the log is full": "The log is full.", "it ended.": "It ended.", "öffnen failed": "Öffnen failed.", "": "It failed, and does not say why.", "...": "It failed, and does not say why.",
	} {
		if got := Sentence(errors.New(text)); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
