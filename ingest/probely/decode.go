package probely

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const decoder = "probely/1"

// events maps the twelve event types: the first six are an account's, the others a target's ("events" page).
var events = map[string]schema.Kind{
	"user_created":               schema.UserCreated,
	"user_deleted":               schema.UserDeleted,
	"target_created":             schema.TargetCreated,
	"target_deleted":             schema.TargetDeleted,
	"target_verified":            schema.TargetVerified,
	"target_verification_failed": schema.TargetVerificationFailed,
	"scan_started":               schema.ScanStarted,
	"scan_canceled":              schema.ScanCanceled,
	"scan_completed":             schema.ScanCompleted,
	"scan_failed":                schema.ScanFailed,
	"finding_detected":           schema.FindingDetected,
	"finding_fixed":              schema.FindingFixed,
}

// envelope holds any delivery ("targets-webhooks-create" page). The list of webhooks says how far its own sending is,
// which is no news.
type envelope struct {
	ID         provider.Text   `json:"id"`
	Event      provider.Text   `json:"event_type"`
	OccurredAt provider.Text   `json:"occurred_at"`
	ObjectType provider.Text   `json:"object_type"`
	Content    json.RawMessage `json:"content"`
}

// Decode says what d means.
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	e, err := read(d.Body)
	if err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return quarantine("", "The body is not JSON.", true)
		}
		return quarantine("", "The body is JSON, but not an object with an event_type.", false)
	}
	event := string(e.Event)
	if event == "" {
		return quarantine("", "The body names no event_type.", false)
	}
	kind, ok := events[event]
	if !ok {
		return quarantine(event, fmt.Sprintf("The event_type %.80q is documented nowhere.", event), false)
	}
	out := schema.Data{Event: event, Decoder: decoder}
	if at := string(e.OccurredAt); at != "" {
		if t, err := schema.ParseTime(at); err == nil {
			out.OccurredAt = &t
		} else {
			unreadable(&out, "occurred_at", "it is not a time in RFC 3339")
		}
	}
	if err := describe(&out, kind, e.object()); err != nil {
		return quarantine(event, fmt.Sprintf("The %s event %v.", event, err), true)
	}
	return kind, out, nil
}

// describe reads what the event is about. An error says what is missing or wrong with an id, to go on after "The …
// event".
func describe(out *schema.Data, kind schema.Kind, content json.RawMessage) error {
	switch kind.Aggregate() {
	case schema.AggregateUser:
		return describeUser(out, content)
	case schema.AggregateTarget:
		return describeTarget(out, content)
	case schema.AggregateScan:
		return describeScan(out, content)
	}
	return describeFinding(out, content)
}

// read reads the envelope.
func read(body []byte) (e envelope, err error) {
	err = json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &e)
	return e, err
}

// object returns the content, which the page prints as a string: JSON in a string is read like the object itself.
func (e *envelope) object() json.RawMessage { return inner(e.Content) }

func inner(raw json.RawMessage) json.RawMessage {
	var s string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return json.RawMessage(s)
	}
	return raw
}

// EventID returns the event's id, which stays the same however often it is sent, and over the webhooks of an account
// and of its targets.
func (p *Provider) EventID(d *provider.Delivery) string {
	e, err := read(d.Body)
	if err != nil {
		return ""
	}
	id, err := schema.ID(string(e.ID))
	if err != nil {
		return ""
	}
	return id
}

// Person returns whom an event of a user is about: their id, or else their e-mail address. A body that is no event may
// be about a user too: one that is not JSON, and a list of which one element is.
func (p *Provider) Person(d *provider.Delivery) (name string, about bool) {
	e, err := read(d.Body)
	if err == nil {
		return e.person()
	}
	var list []json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(d.Body, []byte("\ufeff")), &list) != nil {
		var syntax *json.SyntaxError
		return "", errors.As(err, &syntax)
	}
	return "", slices.ContainsFunc(list, func(element json.RawMessage) bool {
		e, err := read(element)
		if err == nil {
			_, about = e.person()
		}
		return err == nil && about
	})
}

// person reports whether the event is about a user, and who; it is more generous than Decode in what it takes for one.
func (e *envelope) person() (name string, about bool) {
	if !strings.EqualFold(string(e.ObjectType), "user") && !strings.HasPrefix(strings.ToLower(string(e.Event)), "user") {
		return "", false
	}
	u := readUser(e.object())
	name, err := u.name()
	if err != nil {
		return "", true
	}
	return name, true
}

func unreadable(out *schema.Data, part, reason string) {
	out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: part, Reason: reason})
}

func quarantine(event, reason string, unreadable bool) (schema.Kind, schema.Data, error) {
	event = provider.Clip(event, provider.MaxEvent)
	return "", schema.Data{Event: event, Decoder: decoder}, &provider.Quarantine{Event: event, Reason: reason, Unreadable: unreadable}
}
