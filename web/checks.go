package web

import (
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// checkText explains a check that has not passed.
type checkText = projections.CheckText

// checkName is a check as a heading: "Organization", or the domain's own name.
func checkName(name string) string {
	if domain, ok := strings.CutPrefix(name, "domain:"); ok {
		return schema.DisplayName(domain)
	}
	switch name {
	case "":
		return ""
	case schema.CheckCSR:
		return "CSR"
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

func checkTextOf(name string, state schema.CheckState) checkText {
	return projections.CheckTextOf(name, state)
}
