// Package lifecycle holds the state machines: what each event makes of an order, a certificate, a domain's or an
// organization's validation, a rotation of keys, a website, a user, a scanner's target, a scan or a finding. All of it
// is pure: the same events in the same order give the same states, on any day, on any machine. What depends on the
// clock is a method that takes the time.
package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Version changes whenever the same events fold to something else; a test pins the digest of a fixed history to it.
const Version = 5

// The read models.
const (
	Orders        = "orders"
	Certificates  = "certificates"
	Domains       = "domains"
	DNSSECs       = "dnssec"
	Organizations = "organizations"
	Websites      = "websites"
	Accounts      = "accounts"
	Users         = "users"
	Targets       = "targets"
	Scans         = "scans"
	Findings      = "findings"
	Attention     = "attention" // what people decided about matters
)

// Row names one row of a read model; the provider is the event's.
type Row struct{ Model, ID string }

// ErrParked marks the reason why no row can take an event.
var ErrParked = errors.New("no row can take the event")

// Rows returns the rows that e concerns, whatever its subject. An event of an unknown kind concerns none.
func Rows(e *schema.Event) ([]Row, error) {
	d := &e.Data
	switch e.Kind().Aggregate() {
	case schema.AggregateOrder:
		rows, err := one(Orders, d.OrderID, "an order's number")
		if id := certificateID(d); err == nil && id != "" && e.Kind() == schema.OrderIssued {
			rows = append(rows, Row{Certificates, id})
		}
		return rows, err
	case schema.AggregateCertificate:
		return certificateRows(d)
	case schema.AggregateDomain:
		rows, err := one(Domains, d.Domain, "a domain's name")
		return withOrder(rows, d), err
	case schema.AggregateOrganization:
		return one(Organizations, d.OrganizationID, "an organization's id")
	case schema.AggregateDNSSEC:
		return one(DNSSECs, d.WebsiteID, "a website's id")
	case schema.AggregateWebsite:
		return one(Websites, d.TargetID, "a website's id")
	case schema.AggregateDatabase:
		rows, err := one(Websites, d.TargetID, "a database's id")
		if err == nil {
			rows[0].ID = DatabasePrefix + rows[0].ID
		}
		return rows, err
	case schema.AggregateAccount:
		if d.Event == schema.OwnTest {
			return nil, nil
		}
		return []Row{{Accounts, schema.AggregateID(e.Kind(), e.ID, d)}}, nil
	case schema.AggregateUser:
		return one(Users, d.UserID, "whom it is about")
	case schema.AggregateTarget:
		return one(Targets, d.TargetID, "a target's id")
	case schema.AggregateScan:
		return one(Scans, d.ScanID, "a scan's id")
	case schema.AggregateFinding:
		return one(Findings, d.FindingID, "a finding's id")
	case schema.AggregateAttention:
		return attentionRows(d)
	}
	return nil, nil
}

func one(model, id, what string) ([]Row, error) {
	if id == "" {
		return nil, fmt.Errorf("%w: it does not give %s", ErrParked, what)
	}
	return []Row{{model, id}}, nil
}

func certificateRows(d *schema.Data) ([]Row, error) {
	var rows []Row
	if id := certificateID(d); id != "" {
		rows = append(rows, Row{Certificates, id})
	}
	rows = withOrder(rows, d)
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: it gives neither a certificate's id nor an order's number", ErrParked)
	}
	return rows, nil
}

func withOrder(rows []Row, d *schema.Data) []Row {
	if d.OrderID != "" && rows != nil {
		rows = append(rows, Row{Orders, d.OrderID})
	} else if d.OrderID != "" {
		rows = []Row{{Orders, d.OrderID}}
	}
	return rows
}

// certificateID returns the provider's id of the certificate, or else its serial number: a certificate that was pushed
// without an id has a row all the same.
func certificateID(d *schema.Data) string {
	if d.CertificateID == "" && d.Certificate != nil {
		return d.Certificate.SerialNumber
	}
	return d.CertificateID
}

// Life holds what every row knows of the events that concern it.
type Life struct {
	FirstEventAt schema.Time
	LastEventAt  schema.Time // of the last in the log's order
	LastEventSeq uint64
	EventCount   int
	Unreadable   string // what could not be read of the last event that brought such a part
}

// next returns l after the event at seq.
func (l Life) next(seq uint64, e *schema.Event) Life {
	if l.EventCount == 0 {
		l.FirstEventAt = e.Time
	}
	l.LastEventAt = e.Time
	l.LastEventSeq = seq
	l.EventCount++
	return l
}

// read returns l after an event that brought, or should have brought, the given part.
func (l Life) read(part string, present bool, d *schema.Data) Life {
	for _, u := range d.Unreadable {
		if u.Part == part {
			l.Unreadable = u.Part + ": " + u.Reason
			return l
		}
	}
	if present && strings.HasPrefix(l.Unreadable, part+": ") {
		l.Unreadable = ""
	}
	return l
}

// readAll returns l after an event, with all parts of it that could not be read.
func (l Life) readAll(d *schema.Data) Life {
	var parts []string
	for _, u := range d.Unreadable {
		parts = append(parts, u.Part+": "+u.Reason)
	}
	l.Unreadable = strings.Join(parts, "; ")
	return l
}

// ignored reports whether e changes no state: what certtrail's own clock says is worked out when it is read.
func ignored(e *schema.Event) bool { return e.Source == schema.ClockSource }
