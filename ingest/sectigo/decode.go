package sectigo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const decoder = "sectigo/1"

// envelope holds any delivery of the Web Security Platform. It gives no time, and its id is the webhook's, not the
// delivery's ("Webhook Events" page, attribute table).
type envelope struct {
	ID     provider.Text   `json:"id"`
	Event  provider.Text   `json:"event"`
	Target json.RawMessage `json:"target"`
	Body   json.RawMessage `json:"body"`
}

type target struct {
	Type provider.Text `json:"type"`
	ID   provider.Text `json:"id"`
}

func decodeWebhook(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	var e envelope
	if err := json.Unmarshal(bytes.TrimPrefix(d.Body, []byte("\ufeff")), &e); err != nil {
		if isSyntax(err) {
			return unreadable("", "the body is not JSON: "+err.Error())
		}
		return undocumented("", "the body is JSON, but not an object with an event")
	}
	if e.Event == "" {
		return undocumented("", "the body names no event")
	}
	event := string(e.Event)
	kind, ok := kindOf(event)
	if !ok {
		return undocumented(event, fmt.Sprintf("the event %.80q is documented nowhere", event))
	}
	var about target
	_ = json.Unmarshal(e.Target, &about) // a target that is no object has no id, which is told below
	out := schema.Data{Event: event, Decoder: decoder, TargetType: provider.Clip(string(about.Type), provider.MaxText)}
	var err error
	if out.TargetID, err = schema.ID(string(about.ID)); err != nil {
		return unreadable(event, fmt.Sprintf("the target's id cannot be used: %v", err))
	}
	if out.TargetID == "" {
		return unreadable(event, fmt.Sprintf("the %s event has no target with an id", event))
	}
	if id, err := schema.ID(string(e.ID)); err == nil {
		out.WebhookID = id
	}
	if kind.Aggregate() == schema.AggregateDNSSEC {
		out.WebsiteID = out.TargetID
		readDS(&out, e.Body, e.Target)
	}
	return kind, out, nil
}

// kindOf returns the kind of one of the sixteen events of the "Webhook Events" page. Only two of them mean more to
// certtrail than their name says.
func kindOf(event string) (schema.Kind, bool) {
	switch event {
	case "website_dnssec_rotation_start":
		return schema.DNSSECRotationStarted, true
	case "website_dnssec_rotation_complete":
		return schema.DNSSECRotationCompleted, true
	case "user_create", "user_login_link", "user_reset_password":
		return schema.Kind(schema.AggregateAccount + "." + event), true
	case "database_backup_restore_state_changed", "database_backup_zip_download_available",
		"website_accelerate_enabled", "website_backup_change_alert", "website_clean_enabled", "website_firewall_enabled",
		"website_malware_issue_fixed", "website_malware_issue_found", "website_monitor_enabled", "website_restore_state_changed",
		"website_zip_download_available":
		aggregate, name, _ := strings.Cut(event, "_")
		return schema.Kind(aggregate + "." + name), true
	}
	return "", false
}

// Secrets gives up the whole body of the events that bring a login link, a password or a download link, for no page
// shows its shape. It is more generous than Decode in what it takes for such an event, also within a list of them,
// because what is stored is stored for ever.
func (p *Provider) Secrets(d *provider.Delivery) []string {
	if d.Feed != "" {
		return nil
	}
	body := bytes.TrimPrefix(d.Body, []byte("\ufeff"))
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil {
		return secretBodies(body, "")
	}
	var pointers []string
	for i, delivery := range list {
		pointers = append(pointers, secretBodies(delivery, "/"+strconv.Itoa(i))...)
	}
	return pointers
}

// secretBodies points to the bodies of one delivery, which stands at the JSON Pointer at, if it is of an event that
// bears a secret.
func secretBodies(delivery json.RawMessage, at string) []string {
	var object map[string]json.RawMessage
	if json.Unmarshal(delivery, &object) != nil {
		return nil
	}
	var pointers []string
	secret := false
	for key, raw := range object {
		switch {
		case strings.EqualFold(key, "body"):
			pointers = append(pointers, at+"/"+key)
		case strings.EqualFold(key, "event"):
			var event provider.Text
			_ = event.UnmarshalJSON(raw) // decoded, for an escape in the name must not hide it
			secret = secret || bearsSecret(string(event))
		}
	}
	if !secret {
		return nil
	}
	return pointers
}

func bearsSecret(event string) bool {
	event = strings.ToLower(event)
	return strings.Contains(event, "login") || strings.Contains(event, "password") || strings.Contains(event, "download")
}

func isSyntax(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax)
}

func unreadable(event, reason string) (schema.Kind, schema.Data, error) {
	return quarantine(event, reason, true)
}

func undocumented(event, reason string) (schema.Kind, schema.Data, error) {
	return quarantine(event, reason, false)
}

// quarantine makes the reason, which is what people read, a sentence.
func quarantine(event, reason string, unreadable bool) (schema.Kind, schema.Data, error) {
	event = provider.Clip(event, provider.MaxEvent)
	return "", schema.Data{Event: event, Decoder: decoder}, &provider.Quarantine{Event: event, Reason: strings.ToUpper(reason[:1]) + reason[1:] + ".", Unreadable: unreadable}
}
