package redact

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// jsonWalker copies valid JSON from Src to out, without white space, leaving out what must not be stored. It keeps the
// order of keys and the spelling of numbers, and makes no tree: most deliveries have nothing to take out.
type jsonWalker struct {
	jsonscan.Scanner
	out   []byte
	known knownValues // look only for these
	keys  *keyCache   // nil: each key is looked at by itself
}

// place says where in the document a value stands.
type place struct {
	class    keyClass
	key      *keyFacts // of the key it stands under, or its array does
	pointers []string  // what is left of each pointer on the way to here
	sealed   bool      // below a pointer: strings and numbers go
	person   bool      // a member of a person
	spared   bool      // people stay: what is left is going to be sealed
}

// noKey stands for the key of a document itself.
var noKey = &keyFacts{}

// redactJSON returns the valid JSON document b, which stands at p, as it may be stored.
func redactJSON(b []byte, p place, keys *keyCache) []byte {
	w := jsonWalker{Scanner: jsonscan.Scanner{Src: b}, out: make([]byte, 0, len(b)), keys: keys}
	w.value(p)
	if !utf8.Valid(w.out) {
		return bytes.ToValidUTF8(w.out, []byte("\uFFFD"))
	}
	return w.out
}

func (w *jsonWalker) value(p place) {
	switch w.Peek() {
	case '{':
		w.object(p)
	case '[':
		w.array(p)
	case '"':
		w.text(p, w.Quoted())
	case 't', 'f', 'n': // a boolean is no secret
		w.out = append(w.out, w.Literal()...)
	default:
		w.number(p, w.Literal())
	}
}

func (w *jsonWalker) object(p place) {
	w.Take('{')
	w.out = append(w.out, '{')
	for first := true; !w.Odd && w.Peek() != '}'; first = false {
		if !first {
			w.Take(',')
			w.out = append(w.out, ',')
		}
		raw := w.Quoted()
		key := w.keys.ofQuoted(raw)
		w.quoteIfChanged(raw, key.name, w.safeKey(p, key))
		w.Take(':')
		w.out = append(w.out, ':')
		w.member(p, key)
	}
	w.Take('}')
	w.out = append(w.out, '}')
}

// member walks the value under key of the object at p.
func (w *jsonWalker) member(p place, key *keyFacts) {
	child := place{class: key.class, key: key, person: p.key.person, spared: p.spared}
	if w.known == nil && (w.findingPart(p, key) || p.key.class == keyGrant && isLink(key.name)) {
		child.class = keySecret
	}
	child.pointers, child.sealed = step(p.pointers, key.name, p.sealed)
	if c := w.Peek(); w.known == nil && child.class == keySecret && (c == '{' || c == '[') {
		w.Pass()
		w.out = append(w.out, `"`+Mark+`"`...)
		return
	}
	w.value(child)
}

// findingPart tells the parts of Probely's sites and findings that bear secrets under common names: a site's headers
// and a finding's raw requests and evidence (PROVIDERS: target.site, findings).
func (w *jsonWalker) findingPart(p place, key *keyFacts) bool {
	switch key.lower {
	case "headers":
		return strings.EqualFold(p.key.name, "site")
	case "requests", "evidence":
		return strings.EqualFold(p.key.name, "finding") || strings.EqualFold(p.key.name, "content")
	}
	return false
}

// step returns what is left of the pointers one key further, and whether one of them ends there.
func step(pointers []string, key string, sealed bool) ([]string, bool) {
	var left []string
	for _, pointer := range pointers {
		token, rest, more := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
		if strings.NewReplacer("~1", "/", "~0", "~").Replace(token) != key {
			continue
		}
		if more {
			left = append(left, "/"+rest)
		} else {
			sealed = true
		}
	}
	return left, sealed
}

func (w *jsonWalker) array(p place) {
	w.Take('[')
	w.out = append(w.out, '[')
	for n := 0; !w.Odd && w.Peek() != ']'; n++ {
		if n > 0 {
			w.Take(',')
			w.out = append(w.out, ',')
		}
		child := p
		if len(p.pointers) > 0 {
			child.pointers, child.sealed = step(p.pointers, strconv.Itoa(n), p.sealed)
		}
		w.value(child)
	}
	w.Take(']')
	w.out = append(w.out, ']')
}

func (w *jsonWalker) text(p place, raw []byte) {
	if w.known == nil && !p.sealed && p.class == keyPlain && isCertificate(raw) {
		w.out = append(w.out, raw...)
		return
	}
	if w.known != nil {
		s := jsonscan.Unquote(raw)
		w.quoteIfChanged(raw, s, w.known.outOfString(s))
		return
	}
	class := p.class
	if class == keyName {
		class = keyPlain
		if p.person {
			class = keyPersonName
		}
	}
	if !p.sealed && class == keyPlain && bytes.IndexByte(raw, '\\') < 0 && !bytes.ContainsAny(raw, tellingBytes) {
		w.out = append(w.out, raw...) // which is what comes out below, sooner
		return
	}
	s := jsonscan.Unquote(raw)
	if p.sealed && s != "" && s != personal && !isNameOrID(p.key.name) || class == keyGrant && strings.Contains(s, "://") {
		class = keySecret
	}
	switch {
	case class != keySecret && looksLikeJSON(s) && jsonscan.Valid([]byte(s)):
		w.quoteIfChanged(raw, s, redactInner(s, place{key: p.key, person: p.person, spared: p.spared}, w.keys))
	case !p.spared:
		w.quoteIfChanged(raw, s, redactValue(class, s))
	case class == keySecret && s != "":
		w.quoteIfChanged(raw, s, Mark)
	default:
		w.quoteIfChanged(raw, s, scrubSecrets(s))
	}
}

func looksLikeJSON(s string) bool {
	t := strings.TrimSpace(s)
	return len(t) > 1 && (t[0] == '{' || t[0] == '[')
}

// redactInner redacts JSON in a string that stands at p: it stays as it is written, unless something goes.
func redactInner(s string, p place, keys *keyCache) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if safe := string(redactJSON([]byte(s), p, keys)); safe != compact(s) {
		return safe
	}
	return s
}

func (w *jsonWalker) number(p place, raw []byte) {
	secret := p.class == keySecret || p.sealed && !isNameOrID(p.key.name)
	if w.known != nil {
		secret = w.known.out(string(raw)) != string(raw)
	}
	switch {
	case secret:
		w.out = append(w.out, `"`+Mark+`"`...)
	case w.known == nil && !p.spared && p.class == keyPhone && isPhone(string(raw)):
		w.out = append(w.out, `"`+personal+`"`...)
	default:
		w.out = append(w.out, raw...)
	}
}

// safeKey writes key, of the object at p, as it may be stored.
func (w *jsonWalker) safeKey(p place, key *keyFacts) string {
	if w.known != nil {
		return w.known.out(key.name)
	}
	if p.spared {
		return key.name
	}
	return key.safe
}

func (w *jsonWalker) quoteIfChanged(raw []byte, was, is string) {
	if was == is {
		w.out = append(w.out, raw...)
		return
	}
	w.out = jsonscan.AppendQuoted(w.out, is)
}

// isCertificate tells a PEM certificate in JSON, which is large and public: unquoting it only to find nothing would
// cost most of a delivery.
func isCertificate(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte(`"-----BEGIN CERTIFICATE-----`)) && !bytes.Contains(raw, []byte("PRIVATE KEY"))
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
