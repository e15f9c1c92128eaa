package redact

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

var (
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`)
	scheme     = regexp.MustCompile(`(?i)\b(bearer|basic)\s+([A-Za-z0-9+/=._~-]+)`)
	userinfo   = regexp.MustCompile(`://[^/\s?#"'<>@]+@`)
	// name matches what stands before a value in a URL's query, a header line, a configuration, or JSON that is broken.
	name = regexp.MustCompile(`([\pL_][\pL\pN_.\[\]-]*)["']?\s*[:=]\s*`)
	// element matches a value in XML.
	element = regexp.MustCompile(`<([\pL_][\pL\pN_.:-]*)([^<>]*)>([^<>]+)<`)
	email   = regexp.MustCompile(`([\pL\pN._%+'-]+)(@|%40)([\pL\pN-]+(?:\.[\pL\pN-]+)*)`)
	// quotedValue matches a string value of JSON, also of broken JSON.
	quotedValue = regexp.MustCompile(`("([^"\\]*)"\s*:\s*)"(?:[^"\\]|\\.)*"?`)
)

// secretBodies lists the events whose bodies bear a secret under a name that is not documented (Sectigo, "Webhook
// Events").
var secretBodies = []string{"user_login_link", "user_reset_password", "zip_download_available"}

// bearsSecret reports whether text that is not JSON is of such an event: then every value in it goes, except names and
// ids.
func bearsSecret(text string) bool { return containsAny(text, secretBodies) }

// redactText scrubs text that is neither JSON nor a form, by pattern.
func redactText(s string) string {
	secret := bearsSecret(s)
	if secret {
		s = quotedValue.ReplaceAllStringFunc(s, func(m string) string {
			parts := quotedValue.FindStringSubmatch(m)
			if isNameOrID(parts[2]) {
				return m
			}
			return parts[1] + `"` + Mark + `"`
		})
	}
	s = element.ReplaceAllStringFunc(s, func(m string) string {
		parts := element.FindStringSubmatch(m)
		class := classify(parts[1])
		if secret && !isNameOrID(parts[1]) && strings.TrimSpace(parts[3]) != "" {
			class = keySecret
		}
		return "<" + parts[1] + parts[2] + ">" + redactValue(class, parts[3]) + "<"
	})
	return scrubPatterns(s)
}

// tellingBytes lists bytes of which each thing that scrub takes out has at least one.
const tellingBytes = "@=:{[%- "

// scrub takes out of a string value the secrets and people that its text gives away.
func scrub(s string) string {
	if !strings.ContainsAny(s, tellingBytes) {
		return s
	}
	if looksLikeJSON(s) && jsonscan.Valid([]byte(s)) {
		return redactInner(s, place{key: noKey}, nil)
	}
	return scrubPatterns(s)
}

// compact writes valid JSON without white space.
func compact(s string) string {
	w := jsonWalker{Scanner: jsonscan.Scanner{Src: []byte(s)}, known: knownValues{}}
	w.value(place{key: noKey})
	return string(w.out)
}

func scrubPatterns(s string) string {
	s = scrubSecrets(s)
	if strings.Contains(s, "@") || strings.Contains(s, "%40") {
		s = MaskEmails(s)
	}
	return s
}

// scrubSecrets does what scrubPatterns does, but leaves people.
func scrubSecrets(s string) string {
	if strings.Contains(s, "PRIVATE KEY-----") {
		s = privateKey.ReplaceAllString(s, Mark)
	}
	if strings.HasPrefix(strings.TrimSpace(s), "-----BEGIN CERTIFICATE-----") {
		return s // base64 may spell anything
	}
	if strings.ContainsAny(s, "Bb") {
		s = scheme.ReplaceAllStringFunc(s, scrubScheme)
	}
	if strings.Contains(s, "://") {
		s = userinfo.ReplaceAllString(s, "://"+Mark+"@")
	}
	if strings.ContainsAny(s, "=:") {
		s = scrubPairs(s)
	}
	return s
}

// scrubScheme takes the credential out of "Bearer …" and "Basic …", and leaves a sentence that has the word alone.
func scrubScheme(m string) string {
	parts := scheme.FindStringSubmatch(m)
	credential := parts[2]
	if strings.EqualFold(parts[1], "basic") {
		if plain, err := base64.StdEncoding.DecodeString(credential); err != nil || !strings.Contains(string(plain), ":") {
			return m
		}
	} else if len(credential) < 20 && strings.IndexFunc(credential, unicode.IsDigit) < 0 {
		return m
	}
	return m[:len(m)-len(credential)] + Mark
}

// scrubPairs takes out the values of names that are secret. It goes over s once: a value that stays may begin with a
// name itself.
func scrubPairs(s string) string {
	var b strings.Builder
	for {
		at := name.FindStringSubmatchIndex(s)
		if at == nil {
			break
		}
		b.WriteString(s[:at[1]])
		class := classify(s[at[2]:at[3]])
		s = s[at[1]:]
		if class == keyPlain || class == keyName || class == keyGrant { // which the value may be, or not
			continue
		}
		end := valueEnd(s)
		b.WriteString(scrubValue(class, s[:end]))
		s = s[end:]
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}

// valueEnd finds the end of the value that s begins with: at its closing quote, or before what cannot be part of one
// that has none.
func valueEnd(s string) int {
	if s == "" {
		return 0
	}
	if quote := s[0]; quote == '"' || quote == '\'' {
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == quote {
				return i + 1
			}
		}
		return len(s) // cut off
	}
	if i := strings.IndexAny(s, " \t\r\n&;,<>\"'}"); i >= 0 {
		return i
	}
	return len(s)
}

// scrubValue scrubs the value, in its quotes if it has any, of a name of that class.
func scrubValue(class keyClass, value string) string {
	bare := strings.Trim(value, `"'`)
	if bare == "true" || bare == "false" || bare == "null" || bare == "" {
		return value
	}
	safe := redactValue(class, bare)
	if safe == bare {
		return value
	}
	if quote := value[:1]; quote == `"` || quote == "'" {
		return quote + safe + quote
	}
	return safe
}

// MaskEmails leaves of each address the first letter and the domain.
func MaskEmails(s string) string {
	return email.ReplaceAllStringFunc(s, func(m string) string {
		parts := email.FindStringSubmatch(m)
		first, _ := utf8.DecodeRuneInString(parts[1])
		return string(first) + masked + parts[3]
	})
}
