// Package ask asks on certtrail's own account, and appends the answers: what a provider's API says of an order or a
// certificate, which deliveries were missed, what a parent zone answers about a DS record, and the notices of its own
// clock. It decides nothing about rows: what it finds becomes events like any delivery.
//
// An Asker runs it all. Its caller gives it the time, the log, and what certtrail knows (Known).
package ask

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// Path names the source of the events that were found by asking a provider: "/ask/digicert".
func Path(provider string) string { return "/ask/" + provider }

// FoundFirst marks, as certtrailimported, what the first reconcile of a provider finds: it may be years old, and
// nothing outside acts on it.
const FoundFirst = "reconcile"

// Event makes an event of what a provider's API answered at the time at, under id, a UUIDv7. secrets are the
// credentials it was asked with. The answer must have a kind.
func Event(id, source string, at time.Time, answer provider.Answer, secrets []string) *schema.Event {
	data := answer.Data
	data.Provider = source
	if answer.Delivery != nil {
		data.Original = redact.Redact(answer.Delivery.Request(), nil, secrets)
	}
	redactWords(&data, secrets)
	return schema.New(id, Path(source), schema.At(at), answer.Kind, data)
}

// redactWords takes out of the words of data what is taken out of its original: they are parts of it, such as a CA's
// message that names a person. What data shares with others is not changed.
func redactWords(data *schema.Data, secrets []string) {
	data.Reason, data.OrganizationName = redacted(data.Reason, secrets), redacted(data.OrganizationName, secrets)
	data.Unreadable = slices.Clone(data.Unreadable)
	for i := range data.Unreadable {
		data.Unreadable[i].Reason = redacted(data.Unreadable[i].Reason, secrets)
	}
}

// redacted returns text as it may be stored.
func redacted(text string, secrets []string) string {
	body, err := json.Marshal(text) // a string always encodes
	if err == nil {
		err = json.Unmarshal(redact.Redact(redact.Request{Body: body}, nil, secrets).Body, &text)
	}
	if err != nil { // what cannot be made sure of is not stored
		return ""
	}
	return text
}
