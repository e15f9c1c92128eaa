package view

import (
	"cmp"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

// check shows one of a CA's checks of an order to a person.
type check struct {
	Name   string // as in the API
	Domain string // of a domain's check
	State  string // "" where the CA has not said
	Since  schema.Time
	Reason string // the CA's words
	Text   words.CheckText
}

// checkRanks lists the checks in the order in which a CA goes through them.
var checkRanks = []string{schema.CheckCSR, schema.CheckOrganization, schema.CheckWhois, schema.CheckPhone, schema.CheckBrand, schema.CheckApproval, schema.CheckIssuance}

// ChecksOf returns an order's checks in the order in which a CA goes through them, its domains last and by name.
func ChecksOf(o projections.Order) []check {
	checks := make([]check, 0, len(o.Checks))
	for name, state := range o.Checks {
		c := check{Name: name, State: string(state), Since: o.ChecksSince[name], Reason: o.Reasons[name], Text: words.Check(name, state)}
		if domain, ok := strings.CutPrefix(name, schema.DomainCheck("")); ok {
			c.Domain = domain
		}
		checks = append(checks, c)
	}
	slices.SortFunc(checks, func(a, b check) int {
		return cmp.Or(cmp.Compare(CheckRank(a.Name), CheckRank(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return checks
}

// CheckRank returns the place of a check among the others; domains, and checks that this program does not know, come
// last.
func CheckRank(name string) int {
	if i := slices.Index(checkRanks, name); i >= 0 {
		return i
	}
	return len(checkRanks)
}
