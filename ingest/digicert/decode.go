package digicert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const decoder = "digicert/1"

// envelope holds any delivery: two keys, no id, no time ("Webhooks" page). The test event has no data.
type envelope struct {
	Event provider.Text   `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// documented has the keys of all events whose data is documented ("CertCentral event types" and "Webhook event logs"
// pages). The challenge's token is not among them: it is good for half an hour and must not be kept.
type documented struct {
	OrderID       provider.Text   `json:"order_id"`
	CertificateID provider.Text   `json:"certificate_id"`
	Chain         json.RawMessage `json:"certificate_chain"`
	Reason        provider.Text   `json:"reason"`
	Approval      provider.Text   `json:"orderApprovalEmailStatus"`
	WebhookID     provider.Text   `json:"webhook_id"`
}

// Decode says what d means.
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	e, err := readEnvelope(d.Body)
	if err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return unreadable("", "the body is not JSON: "+err.Error())
		}
		return undocumented("", "the body is JSON, but not an object with an event")
	}
	if e.Event == "" {
		return undocumented("", "the body names no event")
	}
	event := string(e.Event)
	if kind, ok := validation(event); ok {
		return decodeValidation(event, kind, e.Data)
	}
	data := readDocumented(e.Data)
	return decodeDocumented(event, &data)
}

func readEnvelope(body []byte) (e envelope, err error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if provider.Members(body, func(key, value []byte) {
		switch string(key) {
		case "event":
			e.Event.UnmarshalJSON(value)
		case "data":
			e.Data = value
		}
	}) {
		return e, nil
	}
	e = envelope{}
	err = json.Unmarshal(body, &e)
	return e, err
}

// readDocumented reads what of it is there. Data that is no object has none of the keys, which is told where one of
// them is needed.
func readDocumented(raw json.RawMessage) (data documented) {
	if provider.Members(raw, func(key, value []byte) {
		switch string(key) {
		case "order_id":
			data.OrderID.UnmarshalJSON(value)
		case "certificate_id":
			data.CertificateID.UnmarshalJSON(value)
		case "certificate_chain":
			data.Chain = value
		case "reason":
			data.Reason.UnmarshalJSON(value)
		case "webhook_id":
			data.WebhookID.UnmarshalJSON(value)
		}
	}) {
		return data
	}
	data = documented{}
	_ = json.Unmarshal(raw, &data)
	return data
}

func decodeDocumented(event string, data *documented) (schema.Kind, schema.Data, error) {
	switch event {
	case "certificate_issued", "certificate_revoked", "order_rejected", "order_approval_email_sent":
		return decodeOrder(event, data)
	case "challenge_webhook_endpoint":
		return decodeChallenge(event, data)
	case "test_webhook_endpoint":
		return schema.AccountTestReceived, schema.Data{Event: event, Decoder: decoder}, nil
	}
	// There is an event for the approval itself, but no page gives its name ("Resend order approval email"
	// page); its data gives it away.
	if data.approved() {
		if out, err := data.about(event); err == nil && out.OrderID != "" {
			out.Check, out.CheckState = schema.CheckApproval, schema.CheckPassed
			return schema.OrderUpdated, out, nil
		}
	}
	return undocumented(event, fmt.Sprintf("the event %.80q is documented nowhere", event))
}

func decodeOrder(event string, data *documented) (schema.Kind, schema.Data, error) {
	out, err := data.about(event)
	if err != nil {
		return unreadable(event, err.Error())
	}
	switch event {
	case "certificate_issued":
		readChain(&out, data.Chain)
		return needing("order_id", out.OrderID, schema.OrderIssued, out)
	case "certificate_revoked":
		return needing("certificate_id", out.CertificateID, schema.CertificateRevoked, out)
	case "order_rejected":
		return needing("order_id", out.OrderID, schema.OrderRejected, out)
	}
	if data.approved() {
		out.Check, out.CheckState = schema.CheckApproval, schema.CheckPassed
		return needing("order_id", out.OrderID, schema.OrderUpdated, out)
	}
	out.Check, out.CheckState = schema.CheckApproval, schema.CheckPending
	return needing("order_id", out.OrderID, schema.OrderApprovalRequested, out)
}

func (data *documented) approved() bool {
	return strings.EqualFold(string(data.Approval), "complete") || strings.EqualFold(string(data.Approval), "completed")
}

// about starts an event with the ids and the reason that its data gives.
func (data *documented) about(event string) (schema.Data, error) {
	out := schema.Data{Event: provider.Clip(event, provider.MaxEvent), Decoder: decoder, Reason: provider.Clip(string(data.Reason), provider.MaxText)}
	var err error
	if out.OrderID, err = schema.ID(string(data.OrderID)); err != nil {
		return out, fmt.Errorf("the order_id cannot be used: %w", err)
	}
	if out.CertificateID, err = schema.ID(string(data.CertificateID)); err != nil {
		return out, fmt.Errorf("the certificate_id cannot be used: %w", err)
	}
	return out, nil
}

// decodeChallenge reads the handshake's first step; without its webhook_id it is still worth showing, for its token can
// be pasted into the console.
func decodeChallenge(event string, data *documented) (schema.Kind, schema.Data, error) {
	out := schema.Data{Event: event, Decoder: decoder}
	id, err := schema.ID(string(data.WebhookID))
	if err != nil {
		return unreadable(event, fmt.Sprintf("the webhook_id cannot be used: %v", err))
	}
	out.WebhookID = id
	return schema.AccountChallengeReceived, out, nil
}

// readChain reads the certificate out of a chain, which only TLS products have ("Customize certificate issued events"
// page).
func readChain(out *schema.Data, chain json.RawMessage) {
	if len(chain) == 0 || string(chain) == "null" || string(chain) == "[]" {
		return
	}
	var links []struct {
		PEM provider.Text `json:"pem"`
	}
	if err := json.Unmarshal(chain, &links); err != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "certificate", Reason: "the certificate_chain is not a list of certificates"})
		return
	}
	var pems strings.Builder
	for _, link := range links {
		pems.WriteString(string(link.PEM))
		pems.WriteByte('\n')
	}
	cert, err := provider.ParseCertificate(pems.String())
	if err != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "certificate", Reason: err.Error()})
		return
	}
	out.Certificate = cert
}

// needing returns the event, unless the id that its documentation promises is missing.
func needing(name, id string, k schema.Kind, out schema.Data) (schema.Kind, schema.Data, error) {
	if id == "" {
		return unreadable(out.Event, fmt.Sprintf("the %s event has no %s", out.Event, name))
	}
	return k, out, nil
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
