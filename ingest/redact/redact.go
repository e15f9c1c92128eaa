// Package redact takes out of deliveries what must never be stored: secrets, and what tells who a person is.
package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/jsonscan"
)

// What stands in the place of what is taken out.
const (
	Mark     = "[redacted]" // a secret
	personal = "[personal]" // a person's name or telephone number
	masked   = "…@"         // all but the first letter of a person's address, before its domain
)

// Marked reports whether s shows what redaction put in the place of something.
func Marked(s string) bool {
	return strings.Contains(s, Mark) || strings.Contains(s, personal) || strings.Contains(s, masked)
}

// knownMinimum bounds from below the length of a credential that is searched for everywhere: a shorter one would be
// found in innocent places.
const knownMinimum = 8

// Request holds what of a delivery is stored.
type Request struct {
	Method string
	Query  string              // raw, without the question mark
	Header map[string][]string // canonical names, as net/http has them
	Body   []byte
}

// Redactor takes out of deliveries what must not be stored. Its methods may be called at once by many goroutines.
type Redactor struct {
	known knownValues
	keys  keyCache
}

// New makes a Redactor in whose results known, which are credentials, must not stand anywhere, whatever their place.
func New(known []string) *Redactor { return &Redactor{known: knownForms(known)} }

// Redact calls New(known).Redact, for one delivery.
func Redact(d Request, pointers, known []string) *schema.Original {
	return New(known).Redact(d, pointers)
}

// Redact returns d as it may be stored: with every secret taken out, and people made unrecognizable. The log forgets
// nothing, so this comes before everything else. pointers are JSON Pointers into the body below which every string and
// number goes, except names and ids (see SecretFinder).
//
// A value that is Mark already stays as it is. d does not change.
func (r *Redactor) Redact(d Request, pointers []string) *schema.Original {
	return r.redact(d, pointers, false)
}

// RedactSecrets redacts a delivery that is going to be sealed because it is about a person: in a JSON body, people
// stay.
func (r *Redactor) RedactSecrets(d Request, pointers []string) *schema.Original {
	return r.redact(d, pointers, true)
}

// redact takes out the known values first: else what looks like an address in one of them would be masked, and the rest
// of it stay.
func (r *Redactor) redact(d Request, pointers []string, people bool) *schema.Original {
	o := &schema.Original{Method: d.Method, Query: strings.ToValidUTF8(redactQuery(r.known.out(d.Query)), "\uFFFD"), Headers: r.headers(d.Header)}
	body := bytes.TrimPrefix(d.Body, []byte("\xef\xbb\xbf"))
	switch {
	case len(body) == 0:
	case jsonscan.Valid(body):
		root := place{key: noKey, pointers: pointers, sealed: contains(pointers, ""), spared: people}
		o.Body = json.RawMessage(redactJSON(r.known.outOfJSON(body), root, &r.keys))
	default:
		o.BodyBase64 = base64.StdEncoding.EncodeToString([]byte(redactOther(r.known.out(string(d.Body)), contentType(d.Header))))
	}
	return o
}

// contentType returns the first Content-Type, or "".
func contentType(header map[string][]string) string {
	if v := header["Content-Type"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// redactOther redacts a body that is not JSON.
func redactOther(body, contentType string) string {
	media, params, _ := mime.ParseMediaType(contentType) // one that cannot be read is as if absent
	if boundary := boundaryOf(body, params["boundary"]); boundary != "" {
		return redactMultipart(body, boundary)
	}
	if media == "application/x-www-form-urlencoded" || looksLikeForm(body) {
		return redactQuery(body)
	}
	return redactText(body)
}

// looksLikeForm tells a form that does not say it is one.
func looksLikeForm(body string) bool {
	return strings.Contains(body, "=") && !strings.ContainsAny(body, " \t\r\n<>{}\"") && utf8.ValidString(body)
}

// redactQuery redacts a query or a form: pairs of names and values, in their order, each left as it was written unless
// something goes.
func redactQuery(query string) string {
	if query == "" {
		return ""
	}
	secret := bearsSecret(query)
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		pairs[i] = redactPair(pair, secret)
	}
	return strings.Join(pairs, "&")
}

// redactPair redacts a pair of a form; of one that bears a secret every value goes, except names and ids.
func redactPair(pair string, secret bool) string {
	rawName, rawValue, hasValue := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil {
		return redactText(pair)
	}
	class := classify(name)
	if secret && !isNameOrID(name) {
		class = keySecret
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil {
		if class == keySecret {
			return rawName + "=" + Mark
		}
		return redactText(pair)
	}
	if scrubbed := scrub(name); scrubbed != name {
		rawName = url.QueryEscape(scrubbed)
	}
	if !hasValue {
		return rawName
	}
	switch safe := redactValue(class, value); safe {
	case value:
		return rawName + "=" + rawValue
	case Mark, personal:
		return rawName + "=" + safe
	default:
		return rawName + "=" + url.QueryEscape(safe)
	}
}

// redactValue redacts the value of a key of that class.
func redactValue(class keyClass, value string) string {
	switch {
	case value == "" || value == Mark || value == personal:
		return value
	case class == keySecret, class == keyGrant && strings.Contains(value, "://"):
		return Mark
	case class == keyPersonName, class == keyPhone && isPhone(value):
		return personal
	}
	return scrub(value)
}

// transport lists the headers that say how a delivery came here, and nothing of what it says.
var transport = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Accept-Encoding": true, "Transfer-Encoding": true, "Content-Encoding": true, "Keep-Alive": true, "Te": true,
	"Trailer": true, "Upgrade": true, "Via": true, "Forwarded": true, "X-Real-Ip": true,
}

func (r *Redactor) headers(header map[string][]string) map[string]string {
	kept := make(map[string]string, len(header))
	for name, values := range header {
		if transport[name] || strings.HasPrefix(name, "X-Forwarded-") {
			continue
		}
		key := r.keys.of([]byte(name))
		kept[key.lower] = redactValue(key.class, r.known.out(strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")))
	}
	return kept
}

// knownValues holds credentials to be found by their value, in every form they may stand in.
type knownValues []string

// knownForms returns the values as they are, and escaped as in a URL or base64.
func knownForms(values []string) knownValues {
	k := make(knownValues, 0, 2*len(values))
	for _, v := range values {
		if len(v) < knownMinimum {
			continue
		}
		for _, form := range []string{v, url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v))} {
			if !contains(k, form) {
				k = append(k, form)
			}
		}
	}
	return k
}

// Credentials returns s without known, which are credentials, in whatever form they stand in it.
func Credentials(s string, known []string) string { return knownForms(known).out(s) }

// out removes them from s.
func (k knownValues) out(s string) string {
	for _, form := range k {
		if strings.Contains(s, form) {
			s = strings.ReplaceAll(s, form, Mark)
		}
	}
	return k.outOfEscapes(s)
}

// outOfJSON removes them from b, also where JSON escapes them.
func (k knownValues) outOfJSON(b []byte) []byte {
	if !k.mayStandIn(b) {
		return b
	}
	w := jsonWalker{Scanner: jsonscan.Scanner{Src: b}, known: k}
	w.value(place{key: noKey})
	return w.out
}

// mayStandIn looks quickly whether b has to be walked. Any character may be escaped as \uXXXX or %XX, some also in
// shorter ways.
func (k knownValues) mayStandIn(b []byte) bool {
	escapes := bytes.Contains(b, []byte(`\u`)) || bytes.IndexByte(b, '%') >= 0
	for _, form := range k {
		if escapes || bytes.Contains(b, []byte(form)) || strings.ContainsAny(form, "\"\\/") && bytes.IndexByte(b, '\\') >= 0 {
			return true
		}
	}
	return false
}
