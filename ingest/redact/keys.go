package redact

import (
	"bytes"
	"strings"
	"sync"
	"unicode"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// keyClass says what a key reveals of its value.
type keyClass int

const (
	keyPlain      keyClass = iota
	keySecret              // a secret, whatever it looks like
	keyPersonName          // a person's name
	keyPhone               // a telephone number, if it looks like one
	keyName                // a name; a person's, where the object around is a person
	keyGrant               // a login, reset or download: a link to one is a secret
)

// secretParts name a secret wherever they stand in a key.
var secretParts = []string{
	"password", "passwd", "passphrase", "passcode", "secret", "token", "cookie", "authorization", "credential", "apikey", "privatekey", "accesskey",
	"webhookkey", "devkey", "eabkey", "presharedkey", "verificationcode", "onetimecode", "mfacode", "resetcode", "recoverycode", "backupcode", "basicauth", "formlogin",
	"amzsignature", "csrf", "signedurl",
}

// secretWords name a secret when they stand as a word of their own: "otp" does in otp_code, not in footprint.
var secretWords = map[string]bool{
	"otp": true, "totp": true, "hotp": true, "auth": true, "pwd": true, "pin": true, "psk": true, "jwt": true, "bearer": true, "hmac": true, "session": true, "sessionid": true,
}

// secretLetters lists what a key must hold to have a secret word: the quick look before the exact one.
var secretLetters = []string{"otp", "auth", "pwd", "pin", "psk", "jwt", "bearer", "hmac", "session"}

// A link that logs in, resets or downloads is as good as a password.
var (
	linkParts  = []string{"link", "url", "uri", "href"}
	grantParts = []string{"login", "signin", "logon", "reset", "download", "zip", "magic", "onetime", "activation", "invite"}
)

// personNames end the keys of a person's name.
var personNames = []string{"firstname", "lastname", "fullname", "givenname", "familyname", "middlename", "surname"}

// phones end the keys of a telephone number.
var phones = []string{"phone", "phonenumber", "mobile", "fax"}

// persons end the keys of objects that are people.
var persons = []string{"user", "users", "contact", "contacts", "approver", "approvers", "person", "requester", "admin", "changedby", "createdby", "assignee"}

// Limits of a keyCache. Providers' keys are few and short; whoever sends others finds it full.
const (
	maxKeys      = 1024
	maxKeyLength = 64 // bytes
)

// keyFacts holds all that redaction has to know of a key, in JSON or of a header.
type keyFacts struct {
	name   string // the key itself
	lower  string // in lower case
	safe   string // as it may be stored: without people's addresses
	class  keyClass
	person bool // what stands under it is a person
}

func factsOf(name string) *keyFacts {
	f := &keyFacts{name: name, lower: strings.ToLower(name), safe: name, class: classify(name), person: isPerson(name)}
	if strings.Contains(name, "@") {
		f.safe = MaskEmails(name)
	}
	return f
}

// keyCache remembers the facts of keys, which depend on nothing else: deliveries have the same few. The zero cache is
// empty, and a nil one stays so.
type keyCache struct {
	mu    sync.RWMutex
	facts map[string]*keyFacts
}

func (c *keyCache) of(name []byte) *keyFacts {
	if c == nil || len(name) > maxKeyLength {
		return factsOf(string(name))
	}
	c.mu.RLock()
	facts := c.facts[string(name)]
	c.mu.RUnlock()
	if facts != nil {
		return facts
	}
	facts = factsOf(string(name))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.facts == nil {
		c.facts = map[string]*keyFacts{}
	}
	if len(c.facts) < maxKeys {
		c.facts[facts.name] = facts
	}
	return facts
}

// ofQuoted returns the facts of the key that raw, with its quotes, stands for in JSON.
func (c *keyCache) ofQuoted(raw []byte) *keyFacts {
	if bytes.IndexByte(raw, '\\') >= 0 {
		return factsOf(jsonscan.Unquote(raw))
	}
	return c.of(raw[1 : len(raw)-1])
}

// classify says what key says of its value, whatever its case and separators.
func classify(key string) keyClass {
	joined := join(key)
	switch {
	case joined == "":
		return keyPlain
	case containsAny(joined, secretParts), joined == "pass", joined == "sig", joined == "signature", containsAny(joined, secretLetters) && hasSecretWord(key):
		return keySecret
	case containsAny(joined, grantParts) && isLink(key):
		return keySecret
	case endsInAny(joined, personNames):
		return keyPersonName
	case endsInAny(joined, phones), joined == "tel":
		return keyPhone
	case joined == "name", joined == "username", joined == "displayname", joined == "nickname":
		return keyName
	case containsAny(joined, grantParts):
		return keyGrant
	}
	return keyPlain
}

// isLink reports whether the value under key is a link.
func isLink(key string) bool { return containsAny(join(key), linkParts) }

// isPerson reports whether the object under key is a person.
func isPerson(key string) bool { return endsInAny(join(key), persons) }

// isNameOrID reports whether the value under key names what a delivery is about.
func isNameOrID(key string) bool {
	words := words(key)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	return last == "id" || last == "name" || last == "type" || last == "event"
}

// join writes key in lower case without separators.
func join(key string) string {
	plain := true
	for i := 0; i < len(key); i++ {
		if c := key[i]; c < 'a' || c > 'z' {
			plain = false
			break
		}
	}
	if plain {
		return key
	}
	var b strings.Builder
	b.Grow(len(key))
	for _, r := range key {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func hasSecretWord(key string) bool {
	for _, w := range words(key) {
		if secretWords[w] {
			return true
		}
	}
	return false
}

// words splits key into words in lower case: acmeEABKeyID is acme, eab, key, id.
func words(key string) []string {
	var found []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			found = append(found, string(word))
			word = word[:0]
		}
	}
	runes := []rune(key)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		startsWord := unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if startsWord {
			end()
		}
		word = append(word, unicode.ToLower(r))
	}
	end()
	return found
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func endsInAny(s string, ends []string) bool {
	for _, e := range ends {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

// isPhone tells a telephone number from a word such as "failed".
func isPhone(s string) bool {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits >= 5
}
