package xolphin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const decoder = "xolphin/1"

const maxParams = 100 // of which something is read

// Decode says what d means. A State names what changed, not where the order stands ("WebHooks" page).
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	q, err := parse(d.Query)
	if err != nil {
		return quarantine("", err.Error(), true)
	}
	status, state := q.get("Status"), q.get("State")
	out := schema.Data{Decoder: decoder}
	var kind schema.Kind
	switch {
	case status == "":
		return quarantine("", "the query has no Status", false)
	case strings.EqualFold(status, "Issued"):
		out.Event, kind = "Issued", schema.OrderIssued
	case strings.EqualFold(status, "Deleted"):
		out.Event, kind = "Deleted", schema.OrderCanceled
	case strings.EqualFold(status, "Updated"):
		out.Event, kind = updated(&out, state)
	default:
		return quarantine(status, fmt.Sprintf("the Status %.80q is documented nowhere", status), false)
	}
	if out.OrderID, err = schema.ID(q.get("RequestId")); err != nil {
		return quarantine(out.Event, fmt.Sprintf("the RequestId cannot be used: %v", err), true)
	}
	if out.OrderID == "" {
		return quarantine(out.Event, fmt.Sprintf("the %s delivery has no RequestId", out.Event), true)
	}
	if kind == schema.DomainValidated {
		if out.Domain, err = domain(q.get("Domain")); err != nil {
			return quarantine(out.Event, err.Error(), true)
		}
		out.Check, out.CheckState = schema.DomainCheck(out.Domain), schema.CheckPassed
	}
	return kind, out, nil
}

// updated returns the event and the kind of a State. Phone, Organization, CSR and Whois tell of failures, DCV of a
// success.
func updated(out *schema.Data, state string) (string, schema.Kind) {
	for _, s := range states {
		if strings.EqualFold(state, s.name) {
			out.Check, out.CheckState = s.check, s.checkState
			return "Updated/" + s.name, s.kind
		}
	}
	if state == "" {
		return "Updated", schema.OrderUpdated
	}
	return "Updated/" + provider.Clip(state, provider.MaxEvent), schema.OrderUpdated
}

// states lists the documented values of State. DCV's check has its domain's name, which is added if that is known.
var states = []struct {
	name       string
	kind       schema.Kind
	check      string
	checkState schema.CheckState
}{
	{"DCV", schema.DomainValidated, "", ""},
	{"Phone", schema.OrderCheckFailed, schema.CheckPhone, schema.CheckFailed},
	{"Organization", schema.OrderCheckFailed, schema.CheckOrganization, schema.CheckFailed},
	{"CSR", schema.OrderCheckFailed, schema.CheckCSR, schema.CheckFailed},
	{"Whois", schema.OrderCheckFailed, schema.CheckWhois, schema.CheckFailed},
	{"PhonecallDelayed", schema.OrderCheckDelayed, schema.CheckPhone, schema.CheckDelayed},
	{"Message", schema.OrderMessageReceived, "", ""},
	{"ReadyForReissue", schema.OrderReissueReady, "", ""},
}

func domain(s string) (string, error) {
	if s == "" {
		return "", errors.New("the Updated/DCV delivery has no Domain")
	}
	name, err := schema.DomainName(s)
	if err != nil {
		return "", fmt.Errorf("the Domain %.80q is not a domain name", s)
	}
	return name, nil
}

// quarantine makes the reason, which is what people read, a sentence.
func quarantine(event, reason string, unreadable bool) (schema.Kind, schema.Data, error) {
	event = provider.Clip(event, provider.MaxEvent)
	return "", schema.Data{Event: event, Decoder: decoder}, &provider.Quarantine{Event: event, Reason: strings.ToUpper(reason[:1]) + reason[1:] + ".", Unreadable: unreadable}
}

// params holds a query's parameters in the order they were sent. url.Values would not do: which of two spellings of a
// name counts must not be chance.
type params []struct{ name, value string }

func parse(query string) (params, error) {
	var ps params
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		if len(ps) == maxParams {
			return nil, fmt.Errorf("the query has more than %d parameters", maxParams)
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, errors.New("the query cannot be read: it has a broken percent escape")
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, errors.New("the query cannot be read: it has a broken percent escape")
		}
		ps = append(ps, struct{ name, value string }{name, strings.TrimSpace(strings.ToValidUTF8(value, "\ufffd"))})
	}
	return ps, nil
}

// get returns the first parameter of that name, in any case, that has a value.
func (ps params) get(name string) string {
	for _, p := range ps {
		if p.value != "" && strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}
