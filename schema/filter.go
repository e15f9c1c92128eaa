package schema

import (
	"fmt"
	"strings"
)

// Filter matches the NATS subjects of events: "*" stands for one token, ">" at the end for one or more.
type Filter struct{ tokens []string }

// ParseFilter reads a filter; "" matches everything.
func ParseFilter(s string) (Filter, error) {
	if s == "" {
		s = Subjects
	}
	tokens := strings.Split(s, ".")
	for i, token := range tokens {
		if token == "" || strings.ContainsAny(token, " \t\r\n") || len(token) > 1 && strings.ContainsAny(token, "*>") || token == ">" && i < len(tokens)-1 {
			return Filter{}, fmt.Errorf("%q is not a subject filter such as certs.order.issued.>", s)
		}
	}
	if first := tokens[0]; first != "certs" && first != "*" && first != ">" {
		return Filter{}, fmt.Errorf("the filter %q matches no event: every subject begins with certs, as in certs.order.issued.>", s)
	}
	return Filter{tokens}, nil
}

// Matches reports whether subject matches the filter.
func (f Filter) Matches(subject string) bool {
	for i, token := range f.tokens {
		if token == ">" {
			return subject != ""
		}
		head, rest, more := strings.Cut(subject, ".")
		if head == "" || token != "*" && token != head || more != (i < len(f.tokens)-1) {
			return false
		}
		subject = rest
	}
	return true
}
