package schema

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// Encode writes the event as it stands in the log: the bytes that encoding/json would write, without escapes for HTML,
// which would double the size of a delivery that holds HTML.
func (e *Event) Encode() ([]byte, error) {
	known, err := e.encode()
	if err != nil || e.wire == nil {
		return known, err
	}
	return withUnknown(known, e.wire)
}

// MarshalJSON encodes like Encode, for events inside other JSON.
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
	if data.Data == nil {
		return jsonscan.Marshal(merged)
	}
	inside, err := merge(merged["data"], data.Data)
	if err != nil {
		return nil, err
	}
	if merged["data"], err = jsonscan.Marshal(inside); err != nil {
		return nil, err
	}
	return jsonscan.Marshal(merged)
}

func merge(known, wire []byte) (map[string]json.RawMessage, error) {
	merged := map[string]json.RawMessage{}
	if err := json.Unmarshal(wire, &merged); err != nil {
		return nil, err
	}
	return merged, json.Unmarshal(known, &merged)
}

// writer appends JSON to b.
type writer struct{ b []byte }

// encode writes what this program knows of the event.
func (e *Event) encode() ([]byte, error) {
	w := writer{b: make([]byte, 0, e.size())}
	w.begin()
	w.text("specversion", e.SpecVersion)
	w.text("id", e.ID)
	w.text("source", e.Source)
	w.text("type", e.Type)
	w.text("subject", e.Subject)
	w.time("time", e.Time)
	w.optional("datacontenttype", e.DataContentType)
	w.optional("dataschema", e.DataSchema)
	w.optional("certtrailimported", e.Imported)
	w.key("data")
	err := w.data(&e.Data)
	w.finish()
	return w.b, err
}

// size estimates how long the event will be, rather more than less.
func (e *Event) size() int {
	n := 1024 + len(e.Data.Reason)
	if c := e.Data.Certificate; c != nil {
		n += 512 + len(c.PEM) + len(c.PEM)/16
	}
	if o := e.Data.Original; o != nil {
		n += len(o.Query) + len(o.Body) + len(o.BodyBase64) + len(o.Sealed) + 64*len(o.Headers)
	}
	return n
}

func (w *writer) data(d *Data) error {
	w.begin()
	w.text("provider", d.Provider)
	w.text("event", d.Event)
	w.text("decoder", d.Decoder)
	w.moment("occurred_at", d.OccurredAt)
	w.optional("order_id", d.OrderID)
	w.optional("certificate_id", d.CertificateID)
	w.optional("domain", d.Domain)
	w.optional("domain_id", d.DomainID)
	w.optional("organization_id", d.OrganizationID)
	w.optional("organization_name", d.OrganizationName)
	w.optional("website_id", d.WebsiteID)
	w.optional("target_type", d.TargetType)
	w.optional("target_id", d.TargetID)
	w.optional("webhook_id", d.WebhookID)
	w.optional("user_id", d.UserID)
	w.optional("scan_id", d.ScanID)
	w.optional("finding_id", d.FindingID)
	w.optional("check", d.Check)
	w.optional("check_state", string(d.CheckState))
	if len(d.Checks) > 0 {
		w.key("checks")
		writeSorted(w, d.Checks)
	}
	w.optional("reason", d.Reason)
	w.optional("validation_type", d.ValidationType)
	w.moment("expires_at", d.ExpiresAt)
	w.moment("revokes_at", d.RevokesAt)
	if d.Certificate != nil {
		w.certificate(d.Certificate)
	}
	if d.DS != nil {
		w.key("ds")
		w.ds(d.DS)
	}
	if len(d.DSRecords) > 0 {
		w.key("ds_records")
		for i := range d.DSRecords {
			w.b = append(w.b, "[,"[min(i, 1)])
			w.ds(&d.DSRecords[i])
		}
		w.b = append(w.b, ']')
	}
	err := errors.Join(nest(w, "user", d.User), nest(w, "target", d.Target), nest(w, "scan", d.Scan), nest(w, "finding", d.Finding), nest(w, "matter", d.Matter))
	if len(d.Unreadable) > 0 {
		w.unreadable(d.Unreadable)
	}
	if d.Original != nil {
		err = errors.Join(err, w.original(d.Original))
	}
	w.finish()
	return err
}

func (w *writer) certificate(c *Certificate) {
	w.key("certificate")
	w.begin()
	w.optional("serial_number", c.SerialNumber)
	w.optional("common_name", c.CommonName)
	if len(c.DNSNames) > 0 {
		w.key("dns_names")
		for i, name := range c.DNSNames {
			w.b = append(w.b, "[,"[min(i, 1)])
			w.quote(name)
		}
		w.b = append(w.b, ']')
	}
	w.optional("issuer", c.Issuer)
	w.moment("not_before", c.NotBefore)
	w.moment("not_after", c.NotAfter)
	w.optional("key_algorithm", c.KeyAlgorithm)
	w.optional("fingerprint_sha256", c.FingerprintSHA256)
	w.optional("pem", c.PEM)
	w.finish()
}

func (w *writer) ds(ds *DS) {
	w.begin()
	w.number("key_tag", uint64(ds.KeyTag))
	w.number("algorithm", uint64(ds.Algorithm))
	w.number("digest_type", uint64(ds.DigestType))
	w.text("digest", ds.Digest)
	w.finish()
}

func (w *writer) unreadable(list []Unreadable) {
	w.key("unreadable")
	for i, u := range list {
		w.b = append(w.b, "[,"[min(i, 1)])
		w.begin()
		w.text("part", u.Part)
		w.text("reason", u.Reason)
		w.finish()
	}
	w.b = append(w.b, ']')
}

// original fails on a body that is no JSON.
func (w *writer) original(o *Original) error {
	w.key("original")
	w.begin()
	w.text("method", o.Method)
	w.text("query", o.Query)
	w.headers(o.Headers)
	var err error
	if len(o.Body) > 0 {
		w.key("body")
		err = w.body(o.Body)
	}
	w.optional("body_base64", o.BodyBase64)
	w.optional("sealed", o.Sealed)
	w.finish()
	return err
}

func (w *writer) headers(headers map[string]string) {
	w.key("headers")
	if headers == nil {
		w.b = append(w.b, "null"...)
		return
	}
	writeSorted(w, headers)
}

// writeSorted writes an object of texts, sorted by key.
func writeSorted[T ~string](w *writer, texts map[string]T) {
	names := make([]string, 0, 16)
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	w.begin()
	for _, name := range names {
		w.comma()
		w.quote(name)
		w.b = append(w.b, ':')
		w.quote(string(texts[name]))
	}
	w.finish()
}

// body writes JSON without white space.
func (w *writer) body(body json.RawMessage) error {
	s := jsonscan.Scanner{Src: body}
	if s.Skip(); !s.Odd && !s.Spaced && s.Pos == len(body) {
		w.b = append(w.b, body...)
		return nil
	}
	compact, err := jsonscan.Marshal(body)
	w.b = append(w.b, compact...)
	return err
}

func (w *writer) begin() { w.b = append(w.b, '{') }

func (w *writer) finish() { w.b = append(w.b, '}') }

// key begins the next member of an object. Its name needs no escapes.
func (w *writer) key(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) comma() {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) text(name, value string) {
	w.key(name)
	w.quote(value)
}

// optional writes a text unless it is empty.
func (w *writer) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *writer) number(name string, n uint64) {
	w.key(name)
	w.b = strconv.AppendUint(w.b, n, 10)
}

func (w *writer) time(name string, t Time) {
	w.key(name)
	w.b = t.append(w.b)
}

func (w *writer) moment(name string, t *Time) {
	if t != nil {
		w.time(name, *t)
	}
}

func (w *writer) quote(s string) { w.b = jsonscan.AppendQuoted(w.b, s) }
