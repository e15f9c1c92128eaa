package ingest

import (
	"errors"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// meaning holds what a delivery means, before what is about a person is sealed.
type meaning struct {
	kind       schema.Kind
	data       schema.Data // only what the decoder read
	quarantine *provider.Quarantine

	about  bool   // whether it is about a person
	person string // the person's name at the provider; "" where the delivery gives none
}

// understand reads d, which is as it is stored: so the same bytes mean the same whenever they are read again. What p
// does not understand means delivery.unrecognized, with the reason: nothing that came with right credentials is
// dropped.
func understand(p provider.Provider, d *provider.Delivery) meaning {
	if isOwn(d) {
		kind, data := understandOwn()
		return meaning{kind: kind, data: data}
	}
	var m meaning
	m.kind, m.data, m.quarantine = decode(p, d)
	m.person, m.about = whom(p, d)
	m.about = m.about || m.data.User != nil
	switch {
	case m.quarantine == nil && marksAnID(&m.data, m.person):
		m.quarantine = &provider.Quarantine{Event: m.data.Event, Reason: idNotStored}
		fallthrough
	case m.quarantine != nil:
		m.kind = schema.DeliveryUnrecognized
		m.data = schema.Data{Event: m.quarantine.Event, Decoder: m.data.Decoder, Reason: m.quarantine.Reason}
	}
	if redact.Marked(m.person) {
		m.person = "" // or everybody whose name is not stored would be one person
	}
	return m
}

// decode runs the provider's Decode, whose failures of any sort are reasons to quarantine. One that panics has no data,
// not even a decoder.
func decode(p provider.Provider, d *provider.Delivery) (kind schema.Kind, data schema.Data, quarantine *provider.Quarantine) {
	defer func() {
		if recover() != nil { // a decoder's mistake must not lose a delivery
			quarantine = &provider.Quarantine{Reason: "The decoder failed on this delivery. It is kept: a later version can read it again."}
		}
	}()
	kind, data, err := p.Decode(d)
	if err != nil && !errors.As(err, &quarantine) {
		quarantine = &provider.Quarantine{Reason: err.Error()}
	}
	return kind, data, quarantine
}

// whom reports whether d is about a person, and who.
func whom(p provider.Provider, d *provider.Delivery) (person string, about bool) {
	if f, ok := p.(provider.PersonFinder); ok && !isOwn(d) {
		return f.Person(d)
	}
	return "", false
}

const idNotStored = "An id in it holds a credential or a person's address, which is not stored, so nobody can tell what it is about."

// marksAnID reports whether redaction's mark stands where an id should. All events with it would be one row.
func marksAnID(d *schema.Data, person string) bool {
	for _, id := range []string{
		d.OrderID, d.CertificateID, d.Domain, d.DomainID, d.OrganizationID, d.WebsiteID, d.TargetID, d.WebhookID, d.ScanID, d.FindingID, person,
	} {
		if redact.Marked(id) {
			return true
		}
	}
	return false
}
