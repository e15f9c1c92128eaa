// Package schema is certtrail's contract with the outside and with its own past: the CloudEvents that the log holds, the NATS subjects they
// travel on, what a delivery is and what must never be stored of one. It imports nothing of certtrail, so that everything else can speak it.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ContentType is the media type of every message in the log: one CloudEvents 1.0 event in structured JSON mode.
const ContentType = "application/cloudevents+json"

// DataSchema identifies the JSON Schema of an event's data; the document is event.schema.json in this package.
const DataSchema = "https://github.com/certtrail/certtrail/blob/main/schema/event.schema.json"

// ClockSource is the source of the events that certtrail's own clock appends. No state follows from them.
const ClockSource = "/clock"

// Event is one CloudEvents 1.0 event. Its members are the specification's; Data is certtrail's.
// Members that this program does not know are kept: an event that was decoded is encoded again with all that it came with.
type Event struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`      // UUIDv7, or what truly identifies the event
	Source          string `json:"source"`  // "/hooks/digicert"
	Type            string `json:"type"`    // "certtrail.order.issued.v1"
	Subject         string `json:"subject"` // "order/digicert/12345"
	Time            Time   `json:"time"`    // when it was received
	DataContentType string `json:"datacontenttype,omitempty"`
	DataSchema      string `json:"dataschema,omitempty"`
	Imported        string `json:"certtrailimported,omitempty"` // set on events that an import brought; nothing outside acts on them
	Data            Data   `json:"data"`

	wire []byte // what Decode read; nil for an event made here
}

// New is the event of kind k and data d, received at t from source under id.
func New(id, source string, t Time, k Kind, d Data) *Event {
	return &Event{
		SpecVersion: "1.0", ID: id, Source: source, Type: k.Type(), Subject: k.Aggregate() + "/" + d.Provider + "/" + orUnderscore(AggregateID(k, id, &d)),
		Time: t, DataContentType: "application/json", DataSchema: DataSchema, Data: d,
	}
}

// Kind is the kind that the event's type names; "" when the type is not certtrail's.
func (e *Event) Kind() Kind { return KindOf(e.Type) }

// TrulyIdentified tells whether the event's id says which occurrence it is (a provider's own event id, or a threshold of the clock), so that
// the same id is the same event for ever. The UUIDs given to all others only name what was received.
func (e *Event) TrulyIdentified() bool { return strings.ContainsAny(e.ID, ":/") }

// OccurredAt is the provider's own time of the event, or else when it was received.
func (e *Event) OccurredAt() Time {
	if e.Data.OccurredAt != nil {
		return *e.Data.OccurredAt
	}
	return e.Time
}

// NATSSubject is the subject that the event is published on.
func (e *Event) NATSSubject() string {
	k := e.Kind()
	return SubjectFor(k, e.Data.Provider, AggregateID(k, e.ID, &e.Data))
}

// AggregateID is the id of what the event is about, by its aggregate; "" where the delivery gave none.
func AggregateID(k Kind, eventID string, d *Data) string {
	switch k.Aggregate() {
	case AggregateOrder:
		return d.OrderID
	case AggregateCertificate:
		return d.CertificateID
	case AggregateDomain:
		return d.Domain
	case AggregateOrganization:
		return d.OrganizationID
	case AggregateDNSSEC:
		return d.WebsiteID
	case AggregateDelivery:
		return eventID
	case AggregateAccount:
		if d.TargetID == "" {
			return d.WebhookID
		}
	}
	return d.TargetID
}

// Decode reads one event as it stands in the log. It keeps b: the caller must not change it afterwards.
func Decode(b []byte) (*Event, error) {
	e := &Event{wire: b}
	if err := json.Unmarshal(b, e); err != nil {
		return nil, fmt.Errorf("event is not a CloudEvent in JSON: %w", err)
	}
	if e.ID == "" || e.Type == "" {
		return nil, fmt.Errorf("event has no id or no type, so it is not a CloudEvent")
	}
	return e, nil
}

// DecodeMeaning is Decode without the original delivery, which is most of an event and no concern of a fold.
func DecodeMeaning(b []byte) (*Event, error) {
	var m struct {
		eventJSON
		Data struct {
			Data
			Original passedOver `json:"original"`
		} `json:"data"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("event is not a CloudEvent in JSON: %w", err)
	}
	e := Event(m.eventJSON)
	e.Data, e.wire = m.Data.Data, b
	if e.ID == "" || e.Type == "" {
		return nil, fmt.Errorf("event has no id or no type, so it is not a CloudEvent")
	}
	return &e, nil
}

type passedOver struct{}

func (*passedOver) UnmarshalJSON([]byte) error { return nil }

// Encode writes the event as it stands in the log.
func (e *Event) Encode() ([]byte, error) {
	known, err := encode((*eventJSON)(e))
	if err != nil || e.wire == nil {
		return known, err
	}
	return withUnknown(known, e.wire)
}

// MarshalJSON is Encode, for events inside other JSON.
func (e *Event) MarshalJSON() ([]byte, error) { return e.Encode() }

type eventJSON Event // Event without its MarshalJSON

// withUnknown adds to known the members of wire, and of its data, that known does not have.
func withUnknown(known, wire []byte) ([]byte, error) {
	merged, err := merge(known, wire)
	if err != nil {
		return nil, err
	}
	var data struct{ Data json.RawMessage }
	if err := json.Unmarshal(wire, &data); err != nil {
		return nil, err
	}
	if merged["data"], err = mergeBytes(merged["data"], data.Data); err != nil {
		return nil, err
	}
	return encode(merged)
}

func mergeBytes(known, wire []byte) ([]byte, error) {
	merged, err := merge(known, wire)
	if err != nil {
		return nil, err
	}
	return encode(merged)
}

func merge(known, wire []byte) (map[string]json.RawMessage, error) {
	merged := map[string]json.RawMessage{}
	if err := json.Unmarshal(wire, &merged); err != nil {
		return nil, err
	}
	return merged, json.Unmarshal(known, &merged)
}

// encode is json.Marshal without HTML escaping, which would double the size of a delivery that holds HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func orUnderscore(id string) string {
	if id == "" {
		return "_"
	}
	return id
}
