package node

import (
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// outlivesRule says, for its page, that a certificate in use is valid for longer than it may be.
func outlivesRule(c *projections.Certificate) string {
	if !inUse(c) {
		return ""
	}
	return ask.OutlivesRule(&schema.Certificate{NotBefore: c.NotBefore, NotAfter: c.NotAfter})
}

// lapsesFirst says, for the domain's page, that a provider's validation lapses before the next of its certificates is due for renewal.
func lapsesFirst(v *projections.Domain, certificates []projections.Certificate, now time.Time) string {
	if v.State != lifecycle.Validated && v.State != lifecycle.RevalidationDue {
		return ""
	}
	var renewals []time.Time
	for i := range certificates {
		c := &certificates[i]
		from := lifecycle.Certificate{Cert: schema.Certificate{NotBefore: c.NotBefore, NotAfter: c.NotAfter}}.ExpiringFrom()
		if c.Provider == v.Provider && inUse(c) && from != nil {
			renewals = append(renewals, from.Time)
		}
	}
	return ask.LapsesFirst(moment(v.ValidatedAt), moment(v.ExpiresAt), renewals, now)
}

func inUse(c *projections.Certificate) bool {
	return c.State == lifecycle.Active || c.State == lifecycle.Expiring
}
