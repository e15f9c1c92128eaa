package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// Decode reads one event as it stands in the log. It keeps b: the caller must not change it afterwards.
func Decode(b []byte) (*Event, error) {
	d := decoder{Scanner: jsonscan.Scanner{Src: b}}
	if e := d.event(); e != nil {
		if d.unknown {
			e.wire = b
		}
		return identified(e)
	}
	return decodeOdd(b)
}

// DecodeMeaning decodes like Decode, but skips the original delivery, which is most of an event and which no fold
// reads.
func DecodeMeaning(b []byte) (*Event, error) {
	before := recents.Get().(*jsonscan.Recent)
	d := decoder{Scanner: jsonscan.Scanner{Src: b, Recent: before}, meaning: true}
	e := d.event()
	recents.Put(before)
	if e != nil {
		e.wire = b // which has the original
		return identified(e)
	}
	return decodeOddMeaning(b)
}

// recents pools strings that earlier decodings read; one decoding at a time uses each.
var recents = sync.Pool{New: func() any { return &jsonscan.Recent{} }}

// decodeOdd decodes like Decode, by encoding/json.
func decodeOdd(b []byte) (*Event, error) {
	e := &Event{wire: b}
	if err := json.Unmarshal(b, e); err != nil {
		return nil, notAnEvent(err)
	}
	return identified(e)
}

// decodeOddMeaning decodes like DecodeMeaning, by encoding/json.
func decodeOddMeaning(b []byte) (*Event, error) {
	var m struct {
		eventJSON
		Data struct {
			Data
			Original ignored `json:"original"`
		} `json:"data"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, notAnEvent(err)
	}
	e := Event(m.eventJSON)
	e.Data, e.wire = m.Data.Data, b
	return identified(&e)
}

type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

func notAnEvent(err error) error { return fmt.Errorf("event is not a CloudEvent in JSON: %w", err) }

func identified(e *Event) (*Event, error) {
	if e.ID == "" || e.Type == "" {
		return nil, errors.New("event has no id or no type, so it is not a CloudEvent")
	}
	return e, nil
}

// decoder reads an event in one pass, if it is written as events are.
type decoder struct {
	jsonscan.Scanner
	meaning bool // pass over the original
	unknown bool // the event or its data has members that Event and Data do not
}

// event reads the whole document; nil if encoding/json has to say what it means.
func (d *decoder) event() *Event {
	e := &Event{}
	var seen seen
	for key := range d.Members {
		switch string(key) {
		case "specversion":
			d.once(&seen, 0)
			e.SpecVersion = d.oneOf("1.0")
		case "id":
			d.once(&seen, 1)
			e.ID = d.Text()
		case "source":
			d.once(&seen, 2)
			e.Source = d.Text()
		case "type":
			d.once(&seen, 3)
			e.Type = d.Text()
		case "subject":
			d.once(&seen, 4)
			e.Subject = d.Text()
		case "time":
			d.once(&seen, 5)
			e.Time = d.time()
		case "datacontenttype":
			d.once(&seen, 6)
			e.DataContentType = d.oneOf("application/json")
		case "dataschema":
			d.once(&seen, 7)
			e.DataSchema = d.oneOf(DataSchema)
		case "certtrailimported":
			d.once(&seen, 8)
			e.Imported = d.Text()
		case "data":
			d.once(&seen, 9)
			d.data(&e.Data)
		default:
			d.unknown = true
			d.skipUnknown(key)
		}
	}
	if d.End(); d.Odd {
		return nil
	}
	return e
}

func (d *decoder) data(to *Data) {
	var seen seen
	for key := range d.Members {
		if n, text := to.member(key); text != nil {
			d.once(&seen, n)
			*text = d.Text()
			continue
		}
		switch string(key) {
		case "occurred_at":
			d.once(&seen, 32)
			to.OccurredAt = d.moment()
		case "expires_at":
			d.once(&seen, 33)
			to.ExpiresAt = d.moment()
		case "revokes_at":
			d.once(&seen, 34)
			to.RevokesAt = d.moment()
		case "check_state":
			d.once(&seen, 35)
			to.CheckState = CheckState(d.Text())
		case "certificate":
			d.once(&seen, 36)
			to.Certificate = d.certificate()
		case "ds":
			d.once(&seen, 37)
			to.DS = d.ds()
		case "ds_records":
			d.once(&seen, 45)
			to.DSRecords = d.dsRecords()
		case "unreadable":
			d.once(&seen, 38)
			to.Unreadable = d.unreadable()
		case "user":
			d.once(&seen, 40)
			nested(d, &to.User)
		case "target":
			d.once(&seen, 41)
			nested(d, &to.Target)
		case "scan":
			d.once(&seen, 42)
			nested(d, &to.Scan)
		case "finding":
			d.once(&seen, 43)
			nested(d, &to.Finding)
		case "matter":
			d.once(&seen, 46)
			nested(d, &to.Matter)
		case "checks":
			d.once(&seen, 44)
			to.Checks = d.checks()
		case "original":
			d.once(&seen, 39)
			if d.meaning {
				d.Skip()
			} else {
				to.Original = d.original()
			}
		default:
			d.unknown = true
			d.skipUnknown(key)
		}
	}
}

// member returns the text of d that key names, and its number below 32; nil if key names none.
func (d *Data) member(key []byte) (int, *string) {
	switch string(key) {
	case "provider":
		return 0, &d.Provider
	case "event":
		return 1, &d.Event
	case "decoder":
		return 2, &d.Decoder
	case "order_id":
		return 3, &d.OrderID
	case "certificate_id":
		return 4, &d.CertificateID
	case "domain":
		return 5, &d.Domain
	case "domain_id":
		return 6, &d.DomainID
	case "organization_id":
		return 7, &d.OrganizationID
	case "organization_name":
		return 8, &d.OrganizationName
	case "website_id":
		return 9, &d.WebsiteID
	case "target_type":
		return 10, &d.TargetType
	case "target_id":
		return 11, &d.TargetID
	case "webhook_id":
		return 12, &d.WebhookID
	case "check":
		return 13, &d.Check
	case "reason":
		return 14, &d.Reason
	case "validation_type":
		return 15, &d.ValidationType
	case "user_id":
		return 16, &d.UserID
	case "scan_id":
		return 17, &d.ScanID
	case "finding_id":
		return 18, &d.FindingID
	}
	return 0, nil
}

// seen records, by number, which keys of one object were read.
type seen uint64

// once calls a key odd that comes twice.
func (d *decoder) once(s *seen, n int) {
	if *s&(1<<n) != 0 {
		d.Fail()
	}
	*s |= 1 << n
}

// skipUnknown passes over the value of a key that is unknown here.
func (d *decoder) skipUnknown(key []byte) {
	if jsonscan.HasCapital(key) {
		d.Fail()
		return
	}
	d.Skip()
}

// oneOf reads the next string, which is nearly always one of these: then it needs no memory.
func (d *decoder) oneOf(usual ...string) string {
	if d.Peek() == '"' {
		for _, u := range usual {
			if end := d.Pos + 1 + len(u); end < len(d.Src) && d.Src[end] == '"' && string(d.Src[d.Pos+1:end]) == u {
				d.Pos = end + 1
				return u
			}
		}
	}
	return d.Text()
}

// time reads the next time.
func (d *decoder) time() Time {
	text := d.Plain()
	if d.Odd {
		return Time{}
	}
	var usual time.Time
	if usual.UnmarshalText(text) == nil { // RFC 3339
		return At(usual)
	}
	t, err := ParseTime(string(text))
	if err != nil {
		d.Fail()
	}
	return t
}

func (d *decoder) moment() *Time {
	t := d.time()
	return &t
}
