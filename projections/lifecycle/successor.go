package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// NameSet names the set of names that the certificate is for: certificates for the same names, in whatever order and
// spelling, have the same, and no others have. It is empty where no name is known.
func (c Certificate) NameSet() string {
	names := make([]string, 0, len(c.Cert.DNSNames)+1)
	for _, name := range append(c.Cert.DNSNames[:len(c.Cert.DNSNames):len(c.Cert.DNSNames)], c.Cert.CommonName) {
		if name = normal(name); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(names), "\n")))
	return hex.EncodeToString(sum[:16])
}

// normal returns name as the log stores domain names, or in lower case if it is none.
func normal(name string) string {
	if isNormal(name) { // as nearly always: decoders write names so
		return name
	}
	if domain, err := schema.DomainName(name); err == nil {
		return domain
	}
	return strings.ToLower(strings.TrimSpace(name))
}

// isNormal reports, for certain names at least, that schema.DomainName leaves them as they are.
func isNormal(name string) bool {
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' && i < len(name)-1 || c == '*' && i == 0) {
			return false
		}
	}
	return true
}

// IssuedAt returns from when the certificate is valid, or when it was first heard of where that is not known.
func (c Certificate) IssuedAt() schema.Time {
	if c.Cert.NotBefore != nil {
		return *c.Cert.NotBefore
	}
	return c.FirstEventAt
}
