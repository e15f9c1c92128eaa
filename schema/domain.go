package schema

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// names maps as a browser would and refuses what no resolver could look up, but allows the underscores of
// _acme-challenge and its like.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.VerifyDNSLength(true))

// maxDomain bounds what is looked at: the time that mapping takes grows with the square of a name's length.
const maxDomain = 1024

// DomainName returns a domain name in the one form that certtrail stores: lower-case A-labels, no final dot, "*." kept
// in front.
func DomainName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxDomain {
		return "", fmt.Errorf("%.80q… is longer than a domain name can be", s)
	}
	rest, wildcard := strings.CutPrefix(s, "*.")
	name, ok := toASCII(rest)
	if ok && name != rest { // what some signs are mapped to is itself no name, or another one
		var again string
		again, ok = toASCII(name)
		ok = ok && again == name
	}
	if !ok {
		return "", fmt.Errorf("%.80q is not a domain name", s)
	}
	if wildcard {
		return "*." + name, nil
	}
	return name, nil
}

// toASCII writes name in A-labels, without its final dot; false if it is not a domain name.
func toASCII(name string) (string, bool) {
	if name == "" || strings.ContainsAny(name, "* /@:\t\r\n") {
		return "", false
	}
	name, err := names.ToASCII(name)
	name = strings.TrimSuffix(name, ".")
	return name, err == nil && name != "" && !strings.HasSuffix(name, ".")
}

// DisplayName writes the A-labels of name as the letters they stand for, for people; it returns name itself if it has
// none, or if that fails.
func DisplayName(name string) string {
	if !strings.Contains(name, "xn--") { // nor is everything that stands where a name may a name: a number keeps its capitals
		return name
	}
	rest, wildcard := strings.CutPrefix(name, "*.")
	u, err := idna.Display.ToUnicode(rest)
	if err != nil {
		return name
	}
	if wildcard {
		return "*." + u
	}
	return u
}

// ReverseName writes the labels of name in reverse order ("com.example.www"), so that all names of a zone share a
// prefix.
func ReverseName(name string) string {
	labels := strings.Split(name, ".")
	for i, j := 0, len(labels)-1; i < j; i, j = i+1, j-1 {
		labels[i], labels[j] = labels[j], labels[i]
	}
	return strings.Join(labels, ".")
}
