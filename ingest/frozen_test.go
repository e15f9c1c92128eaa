package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// frozen returns the events as they were first written, by file name.
func frozen(t *testing.T) map[string]*schema.Event {
	t.Helper()
	files, err := filepath.Glob("../schema/testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no frozen events: %v", err)
	}
	events := map[string]*schema.Event{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, wire, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		e, err := schema.Decode([]byte(wire))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		events[filepath.Base(file)] = e
	}
	return events
}

// TestEveryEventIsFrozen: what a decoder can make of what is known to be sent is frozen, by provider and kind.
func TestEveryEventIsFrozen(t *testing.T) {
	type written struct{ provider, eventType string }
	covered := map[written]string{}
	for name, e := range frozen(t) {
		covered[written{e.Data.Provider, e.Type}] = name
	}
	for _, system := range systems {
		for of, d := range deliveries(t, system) {
			e := received(t, source(system, system.Kind), d)
			if covered[written{system.Kind, e.Type}] == "" && understood(e.Kind()) {
				t.Errorf("%s of %s gives %s, of which no event is frozen in schema/testdata/events", of, system.Kind, e.Type)
			}
		}
	}
}

// TestFrozenEventsRedecode: every event ever written still means at least what it meant.
func TestFrozenEventsRedecode(t *testing.T) {
	r := NewRedecoder(systems, nil).WithKeys(persons)
	for name, e := range frozen(t) {
		again := r.Redecode(e)
		if understood(e.Kind()) && again.NATSSubject() != e.NATSSubject() {
			t.Errorf("%s: %s became %s", name, e.NATSSubject(), again.NATSSubject())
		}
		if p, _ := r.delivery(e); p == nil && strings.HasPrefix(e.Source, "/hooks/") {
			t.Errorf("%s cannot be read again", name)
		}
	}
}
