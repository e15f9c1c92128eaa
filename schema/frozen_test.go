package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFrozenEvents reads every event that was ever written, as it was written: a subject, and the event on the wire.
// Files are added here, and never changed: the log holds such events for ever.
func TestFrozenEvents(t *testing.T) {
	paths, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d frozen events (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			subject, wire, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
			e, err := Decode([]byte(wire))
			if err != nil {
				t.Fatal(err)
			}
			if got := e.NATSSubject(); got != subject {
				t.Errorf("its subject is %s, was %s", got, subject)
			}
			if _, err := ParseSubject(subject); err != nil {
				t.Error(err)
			}
			e.wire = nil // so that only what this program knows is written
			again, err := e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var was, is any
			if err := json.Unmarshal([]byte(wire), &was); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(again, &is); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(was, is) {
				t.Errorf("written again\n%s, was\n%s", again, wire)
			}
		})
	}
}

// TestSchemaDocument holds the JSON Schema against the Go types: the same members, no more and no fewer.
func TestSchemaDocument(t *testing.T) {
	b, err := os.ReadFile("event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]json.RawMessage
		Defs       map[string]object `json:"$defs"`
	}
	var document object
	if err := json.Unmarshal(b, &document); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"data": Data{}, "certificate": Certificate{}, "ds": DS{}, "original": Original{}, "unreadable": Unreadable{},
		"user": User{}, "user_key": UserKey{}, "target": Target{}, "scan": Scan{}, "finding": Finding{}, "matter": Matter{}} {
		sameMembers(t, name, document.Defs[name].Properties, reflect.TypeOf(v))
	}
	sameMembers(t, "event", document.Properties, reflect.TypeOf(Event{}))
}

func sameMembers(t *testing.T, name string, properties map[string]json.RawMessage, of reflect.Type) {
	t.Helper()
	members := 0
	for i := range of.NumField() {
		tag, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		members++
		if _, ok := properties[tag]; !ok {
			t.Errorf("the document's %s has no %s", name, tag)
		}
	}
	if len(properties) != members {
		t.Errorf("the document's %s has %d members, the type %d", name, len(properties), members)
	}
}
