package schema

import (
	"reflect"
	"strings"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// WithMeaning returns the same occurrence with another meaning: kind k and data d replace what was read before. Id,
// source, time and the members that this program does not know stay. e does not change.
func (e *Event) WithMeaning(k Kind, d Data) *Event {
	again := New(e.ID, e.Source, e.Time, k, d)
	again.SpecVersion, again.DataContentType, again.DataSchema, again.Imported = e.SpecVersion, e.DataContentType, e.DataSchema, e.Imported
	again.wire = onlyUnknown(e.wire)
	return again
}

var (
	eventMembers = memberNames(reflect.TypeFor[Event]())
	dataMembers  = memberNames(reflect.TypeFor[Data]())
)

func memberNames(of reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range of.NumField() {
		if name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); name != "" {
			names[name] = true
		}
	}
	return names
}

// onlyUnknown cuts an event on the wire down to the members that this program does not know, in the event and in its
// data: a known one that a new meaning leaves out must not come back from the old. It returns nil if nothing is left,
// as nearly always.
func onlyUnknown(wire []byte) []byte {
	if wire == nil {
		return nil
	}
	var data []byte
	event := unknownMembers(wire, eventMembers, func(name string, value []byte) {
		if name == "data" {
			data = value
		}
	})
	if len(data) > 0 && data[0] == '{' {
		data = unknownMembers(data, dataMembers, func(string, []byte) {})
	} else {
		data = nil
	}
	switch {
	case len(event) == 0 && len(data) == 0:
		return nil
	case len(event) > 0:
		event = append(event, ',')
	}
	left := append([]byte("{"), event...)
	left = append(left, `"data":{`...)
	return append(append(left, data...), "}}"...)
}

// unknownMembers returns the members of the valid JSON object whose names are not known, separated by commas; it passes
// the others to seen.
func unknownMembers(object []byte, known map[string]bool, seen func(name string, value []byte)) []byte {
	var left []byte
	s := jsonscan.Scanner{Src: object}
	s.Take('{')
	for first := true; s.Peek() != '}'; first = false {
		if !first {
			s.Take(',')
			s.Peek()
		}
		start := s.Pos
		name := jsonscan.Unquote(s.Quoted())
		s.Take(':')
		s.Peek()
		value := s.Pos
		s.Pass()
		if known[name] {
			seen(name, object[value:s.Pos])
			continue
		}
		if len(left) > 0 {
			left = append(left, ',')
		}
		left = append(left, object[start:s.Pos]...)
	}
	return left
}
