package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Subjects matches the subjects of all events.
const Subjects = "certs.>"

// maxIDLength bounds an id from outside, so that its subject stays far below the 4096 bytes of a NATS control line even
// when every byte is escaped.
const maxIDLength = 256

const wildcardLabel = "_wildcard"

// SubjectFor makes the subject of an event: certs.<aggregate>.<event>.<provider>.<id tokens>. A domain's id is its
// labels in reverse, so that a filter can name a whole zone; any other id is one token.
func SubjectFor(k Kind, provider, id string) string {
	tail := Token(id)
	if k.Aggregate() == AggregateDomain && id != "" {
		tail = domainTokens(id)
	}
	return "certs." + string(k) + "." + Token(provider) + "." + tail
}

// Token writes an id from outside as one subject token, reversibly: bytes outside A-Z a-z 0-9 _ - become %XX, an empty
// id is "_" and the id "_" is "%5F".
func Token(id string) string {
	switch id {
	case "":
		return "_"
	case "_":
		return "%5F"
	}
	for i := 0; i < len(id); i++ {
		if !plain(id[i]) {
			return escape(id)
		}
	}
	return id
}

func escape(id string) string {
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		if plain(id[i]) {
			b.WriteByte(id[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", id[i])
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// ParseToken returns the id that Token wrote.
func ParseToken(token string) (string, error) {
	if token == "_" {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		switch {
		case token[i] != '%':
			b.WriteByte(token[i])
		case i+2 >= len(token):
			return "", fmt.Errorf("subject token %q ends inside an escape", token)
		default:
			c, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("subject token %q has a broken escape: %w", token, err)
			}
			b.WriteByte(byte(c))
			i += 2
		}
	}
	return b.String(), nil
}

func domainTokens(name string) string {
	labels := strings.Split(name, ".")
	tokens := make([]string, len(labels))
	for i, label := range labels {
		token := Token(label)
		switch label {
		case "*":
			token = wildcardLabel
		case wildcardLabel:
			token = "%5F" + wildcardLabel[1:]
		}
		tokens[len(labels)-1-i] = token
	}
	return strings.Join(tokens, ".")
}

// Address holds what a subject says: which kind of event, of which provider, about what.
type Address struct {
	Kind     Kind
	Provider string
	ID       string
}

// ParseSubject reads what SubjectFor wrote.
func ParseSubject(subject string) (Address, error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) < 5 || tokens[0] != "certs" {
		return Address{}, fmt.Errorf("subject %q is not certs.<aggregate>.<event>.<provider>.<id>", subject)
	}
	provider, err := ParseToken(tokens[3])
	if err != nil {
		return Address{}, err
	}
	a := Address{Kind: Kind(tokens[1] + "." + tokens[2]), Provider: provider}
	if tokens[1] == AggregateDomain && !(len(tokens) == 5 && tokens[4] == "_") {
		a.ID, err = parseDomainTokens(tokens[4:])
		return a, err
	}
	if len(tokens) != 5 {
		return Address{}, fmt.Errorf("subject %q has %d tokens for its id, want one", subject, len(tokens)-4)
	}
	a.ID, err = ParseToken(tokens[4])
	return a, err
}

func parseDomainTokens(tokens []string) (string, error) {
	labels := make([]string, len(tokens))
	for i, token := range tokens {
		label := "*"
		if token != wildcardLabel {
			var err error
			if label, err = ParseToken(token); err != nil {
				return "", err
			}
		}
		labels[len(tokens)-1-i] = label
	}
	return strings.Join(labels, "."), nil
}

// ID trims the space around an id from outside. It returns an error if the id is longer than a subject can carry; any
// characters are allowed, see Token.
func ID(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxIDLength {
		return "", fmt.Errorf("an id of %d bytes is longer than the %d that a subject bears", len(s), maxIDLength)
	}
	return s, nil
}
