// Package view shows values as pages do: states with tone and icon, times with their distance, names, records and
// deliveries.
package view

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

// Moment shows a time on a page: how long ago, with the exact time behind it. live.js counts on from ISO in the same
// words.
type Moment struct {
	ISO, UTC, Text string
	Past           bool
}

// Beside returns the exact time where Text does not begin to say it.
func (m Moment) Beside() string {
	if m.Text == "" || strings.HasPrefix(m.UTC, m.Text) {
		return ""
	}
	return m.UTC
}

func When(t schema.Time, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{t.String(), words.Second(t.Time), words.Ago(t.Time, now), t.Before(now)}
}

// Term shows a day that matters more than how far it is off, such as the end of a validity: the date, with the days
// until it.
type Term struct{ ISO, UTC, Date, Days string }

func Until(t *schema.Time, now time.Time) Term {
	if t == nil || t.IsZero() {
		return Term{}
	}
	m := When(*t, now)
	days := int(t.Sub(now) / (24 * time.Hour))
	text := "in " + strconv.Itoa(days) + " d"
	if days < 0 {
		text = strconv.Itoa(-days) + " d ago"
	}
	return Term{m.ISO, m.UTC, words.Day(t.Time), text}
}

// NumberOf calls words.Number for templates, which have no type parameters.
func NumberOf(n any) string {
	switch n := n.(type) {
	case int:
		return words.Number(n)
	case uint64:
		return words.Number(n)
	}
	return fmt.Sprint(n)
}

// NameList names a row: its first name, and how many more it has.
type NameList struct {
	First string
	More  int
}

// NamesOf prefers the common name. A name that certificate or CA repeats counts once.
func NamesOf(commonName string, dnsNames []string) NameList {
	n := NameList{First: commonName}
	if n.First == "" && len(dnsNames) > 0 {
		n.First = dnsNames[0]
	}
	for _, name := range dnsNames {
		if name != n.First {
			n.More++
		}
	}
	return n
}

// DSText formats a DS record in presentation format, ready for a zone file or a registrar's form.
func DSText(domain string, ds *schema.DS) string {
	if ds == nil {
		return ""
	}
	return ds.Record(domain)
}

// DSAlgorithm returns the name of a DS record's algorithm (IANA, DNS Security Algorithm Numbers); "" of one that is
// rarely seen.
func DSAlgorithm(ds schema.DS) string {
	return map[uint8]string{5: "RSA/SHA-1", 7: "RSASHA1-NSEC3-SHA1", 8: "RSA/SHA-256", 10: "RSA/SHA-512", 13: "ECDSA P-256 with SHA-256", 14: "ECDSA P-384 with SHA-384", 15: "Ed25519", 16: "Ed448"}[ds.Algorithm]
}

// DSDigestType returns the name of a DS record's digest type (IANA, DNSSEC DS RR Type Digest Algorithms).
func DSDigestType(ds schema.DS) string {
	return map[uint8]string{1: "SHA-1", 2: "SHA-256", 4: "SHA-384"}[ds.DigestType]
}

// HexGroups puts a space after every four digits of a serial number or fingerprint, for people who compare two.
func HexGroups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// life measures how much of its validity a certificate has used.
type life struct {
	Used  int // percent
	Days  int // of the whole
	Renew int // percent used when the renewal should begin
	Known bool
}

func LifeOf(c projections.Certificate, now time.Time) life {
	if c.NotBefore == nil || c.NotAfter == nil || !c.NotAfter.After(c.NotBefore.Time) {
		return life{}
	}
	whole := c.NotAfter.Sub(c.NotBefore.Time)
	used := int(100 * now.Sub(c.NotBefore.Time) / whole)
	l := life{Used: min(max(used, 0), 100), Days: int((whole + 12*time.Hour) / (24 * time.Hour)), Known: true}
	if c.RenewFrom != nil {
		l.Renew = min(max(int(100*c.RenewFrom.Sub(c.NotBefore.Time)/whole), 0), 99)
	}
	return l
}

// MaxRaw bounds what one delivery takes of a page that shows many.
const MaxRaw = 16 << 10

// Raw holds one delivery as text.
type Raw struct {
	JSON string
	Body string // a body that is not JSON but text
	Cut  bool   // JSON is longer than a page with many shows

	Sealed bool // it is about a person; JSON is what stands in clear
}

// OriginalText formats a delivery for people: indented, and never longer than maxRaw.
func OriginalText(o *schema.Original) Raw {
	if o == nil {
		return Raw{}
	}
	sealed := o.Sealed != ""
	if sealed {
		open := *o
		open.Sealed = "…" // nobody reads it here
		o = &open
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the template escapes; \u003c would only be harder to read
	enc.SetIndent("", "  ")
	if err := enc.Encode(o); err != nil {
		return Raw{JSON: "couldn't be shown: " + err.Error()}
	}
	text, body := strings.TrimSpace(b.String()), ""
	if decoded, err := base64.StdEncoding.DecodeString(o.BodyBase64); err == nil && IsText(decoded) {
		body = string(decoded)
	}
	cut := len(text) > MaxRaw || len(body) > MaxRaw
	return Raw{clip(text), clip(body), cut, sealed}
}

// Indent formats JSON as people read it; what is not JSON stays as it is.
func Indent(b []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") != nil {
		return string(b)
	}
	return out.String()
}

func clip(s string) string { return ClipTo(s, MaxRaw) }

func ClipTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "\n…"
}

func IsText(b []byte) bool {
	if len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	return !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

// Size returns how many bytes of a page r takes.
func (r *Raw) Size() int {
	return len(template.HTMLEscapeString(r.JSON)) + len(template.HTMLEscapeString(r.Body))
}

func NumberText(n uint64) string { return strconv.FormatUint(n, 10) }
