package projections

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Sought holds what a search looks for, as it is read from a text that somebody pasted. Any of it may be found; what is
// empty is not looked for.
type Sought struct {
	Text     string // a number, or the name of something, compared whole
	Name     string // a domain name: of a host, or a certificate's subject. After "*." the wildcard itself and all names that it stands for
	Provider string // of "digicert 771001" or "digicert/771001"
	ID       string // and the number of a row of theirs
	Last     string // what the path of an address ends in: a number, unless anything bears the name of the address's host
}

// commonName finds the name in a certificate's subject as programs print it: "CN=a.example", "subject=C = DE, CN =
// a.example", "/C=DE/CN=a.example".
var commonName = regexp.MustCompile(`(?i)(?:^|[\s,;/+=])CN\s*=\s*([^,;/+]+)`)

// SoughtBy reads what is pasted into a search.
func SoughtBy(q string) Sought {
	q = strings.TrimSpace(q)
	s := Sought{Text: strings.TrimPrefix(q, "#")}
	s.Provider, s.ID = providerAndID(q)
	if m := commonName.FindStringSubmatch(q); m != nil {
		q = m[1]
	}
	var host string
	host, s.Last = address(q)
	if name, err := schema.DomainName(host); err == nil {
		s.Name = name
	}
	return s
}

// address returns the host of an address as it is pasted, with or without its scheme, or s itself; and the last segment
// of its path.
func address(s string) (host, last string) {
	rest := s
	if _, after, ok := strings.Cut(s, "://"); ok {
		rest = after
	} else if strings.Contains(s, "@") { // a person's address, whose domain is not what is looked for
		return s, ""
	}
	u, err := url.Parse("//" + rest)
	if err != nil || u.Hostname() == "" {
		return rest, ""
	}
	if rest == s && !strings.Contains(u.Hostname(), ".") { // not the address of anything: "digicert/771001"
		return u.Hostname(), ""
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	last, err = url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return u.Hostname(), ""
	}
	return u.Hostname(), last
}

// providerAndID returns the parts of "digicert 771001", of "DigiCert CertCentral 771001" and "DigiCert CertCentral ·
// digicert-eu 771001" as pages write them, and of "digicert/771001".
func providerAndID(q string) (provider, id string) {
	if words := strings.Fields(q); len(words) > 1 {
		provider, id = words[0], words[len(words)-1]
		if at := slices.Index(words, "·"); at >= 0 && at+2 < len(words) { // a further account, by its own name
			provider = words[at+1]
		}
	} else {
		provider, id, _ = strings.Cut(q, "/")
	}
	if id = strings.TrimPrefix(id, "#"); id == "" || strings.ContainsAny(provider, ".:=@") { // an address, a fingerprint, a subject
		return "", ""
	}
	return strings.ToLower(provider), id
}

// zone returns the name below which all names are looked for.
func (s Sought) zone() string { return strings.TrimPrefix(s.Name, "*.") }

// cover returns the wildcard that covers the name that is looked for, which is then looked for itself as well. It
// returns "" of a wildcard: that stands below its own zone.
func (s Sought) cover() string {
	if s.zone() != s.Name {
		return ""
	}
	return wildcardOf(s.Name)
}

// exact returns the ways in which a row is found by a column that is compared whole.
func (s Sought) exact(column string) []way {
	var ways []way
	add := func(text, and string, args ...any) {
		if value := exactValue(column, text); value != "" {
			ways = append(ways, way{term: column + " = ?" + and, args: append([]any{value}, args...)})
		}
	}
	add(s.Text, "")
	if !isNumber(column) {
		return ways
	}
	if s.Provider != "" {
		add(s.ID, " AND provider = ?", s.Provider)
	}
	if s.Last != "" {
		and, args := s.unborne()
		add(s.Last, and, args...)
	}
	return ways
}

// unborne returns the condition that nothing bears the name that is looked for.
func (s Sought) unborne() (and string, args []any) {
	if s.Name == "" {
		return "", nil
	}
	reversed := schema.ReverseName(s.Name)
	from, to := belowName(reversed)
	return " AND NOT EXISTS (SELECT 1 FROM names WHERE reversed IN (?, ?)) AND NOT EXISTS (SELECT 1 FROM names WHERE reversed >= ? AND reversed < ?)",
		[]any{reversed, schema.ReverseName(wildcardOf(s.Name)), from, to}
}

// isNumber reports whether a column holds what its provider numbers things by, rather than a name.
func isNumber(column string) bool {
	return column == "id" || strings.HasSuffix(column, "_id") || column == "serial_number" || column == "fingerprint_sha256"
}
