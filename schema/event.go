// Package schema is certtrail's contract with the outside and with its own past: the CloudEvents that the log holds,
// the NATS subjects they travel on, and the names in them. It brings nothing else of certtrail with it, so that every
// program can speak it.
package schema

import "strings"

// ContentType names the media type of every message in the log: one CloudEvents 1.0 event in structured JSON mode.
const ContentType = "application/cloudevents+json"

// DataSchema identifies the JSON Schema of an event's data; the document is event.schema.json in this package.
const DataSchema = "https://github.com/certtrail/certtrail/blob/main/schema/event.schema.json"

// ClockSource marks the events that certtrail's own clock appends. No state follows from them.
const ClockSource = "/clock"

// LogSource marks what an operator says of the log itself. No state follows from it.
const LogSource = "/log"

// OwnTest marks, as Data.Event, a test delivery that certtrail sent to its own endpoint. Nothing follows from it, since
// no provider said anything.
const OwnTest = "certtrail_test"

// deliveredTo begins the source of every event that was delivered.
const deliveredTo = "/hooks/"

// Event holds one CloudEvents 1.0 event. Its members are the specification's; Data is certtrail's. It keeps members
// that this program does not know: an event that was decoded is encoded again with all that it came with.
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

	wire []byte // what was read, if it holds more than the members above; else nil
}

// New makes the event of kind k and data d, received at t from source under id.
func New(id, source string, t Time, k Kind, d Data) *Event {
	return &Event{
		SpecVersion: "1.0", ID: id, Source: source, Type: k.Type(), Subject: k.Aggregate() + "/" + orUnderscore(d.Provider) + "/" + orUnderscore(AggregateID(k, id, &d)),
		Time: t, DataContentType: "application/json", DataSchema: DataSchema, Data: d,
	}
}

// Kind returns the kind that the event's type names; "" when the type is not certtrail's.
func (e *Event) Kind() Kind { return KindOf(e.Type) }

// Delivered reports whether its provider delivered the event: it was neither asked for nor told by the clock or a
// person, nor is it a test of our own.
func (e *Event) Delivered() bool {
	return strings.HasPrefix(e.Source, deliveredTo) && e.Data.Event != OwnTest
}

// TrulyIdentified reports whether the event's id says which occurrence it is (a provider's own event id, or a threshold
// of the clock), so that the same id is the same event for ever. The UUIDs given to all others only name what was
// received.
func (e *Event) TrulyIdentified() bool { return strings.ContainsAny(e.ID, ":/") }

// OccurredAt returns the provider's own time of the event, or else when it was received.
func (e *Event) OccurredAt() Time {
	if e.Data.OccurredAt != nil {
		return *e.Data.OccurredAt
	}
	return e.Time
}

// NATSSubject returns the subject under which the event is published.
func (e *Event) NATSSubject() string {
	k := e.Kind()
	return SubjectFor(k, e.Data.Provider, AggregateID(k, e.ID, &e.Data))
}

// AggregateID returns the id of what the event is about, by its aggregate; "" if the delivery gave none.
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
	case AggregateUser:
		return d.UserID
	case AggregateScan:
		return d.ScanID
	case AggregateFinding:
		return d.FindingID
	case AggregateAttention:
		if d.Matter != nil {
			return d.Matter.ID
		}
		return ""
	case AggregateDelivery:
		return eventID
	case AggregateAccount:
		if d.TargetID == "" {
			return d.WebhookID
		}
	}
	return d.TargetID
}

func orUnderscore(id string) string {
	if id == "" {
		return "_"
	}
	return id
}
