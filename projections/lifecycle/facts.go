package lifecycle

import (
	"maps"
	"slices"

	"github.com/certtrail/certtrail/schema"
)

// Facts hold all that a sentence about an event needs beside its kind: codes, ids, the names of things, times and
// numbers; never who a person is. Only those are set that the sentence of the event's kind needs.
type Facts struct {
	Event        string            `json:"event,omitempty"`        // the provider's own word, where nothing better is known
	Certificate  string            `json:"certificate,omitempty"`  // its id
	Domain       string            `json:"domain,omitempty"`       // A-labels
	Organization string            `json:"organization,omitempty"` // its name
	Target       string            `json:"target,omitempty"`       // its host, or else its name
	Finding      string            `json:"finding,omitempty"`      // its name, or else its id
	Check        string            `json:"check,omitempty"`        // as in Order.Checks
	State        schema.CheckState `json:"state,omitempty"`        // of the check
	Open         schema.Checks     `json:"open,omitempty"`         // checks that have not passed: the first by name, namesListed at most
	More         int               `json:"more,omitempty"`         // such checks beyond those
	Matter       string            `json:"matter,omitempty"`       // the kind of the matter that was decided about
	Until        *schema.Time      `json:"until,omitempty"`        // the end of a validity or of a decision, or the time of a revocation
	Reason       string            `json:"reason,omitempty"`       // the provider's words, or the person's who decided
	Keys         []string          `json:"keys,omitempty"`         // the kinds of a user's keys
	Findings     *Severities       `json:"findings,omitempty"`     // what a scan ended with
}

// Severities count a scan's findings by severity; nil where it does not say.
type Severities struct {
	Highs   *int `json:"highs,omitempty"`
	Mediums *int `json:"mediums,omitempty"`
	Lows    *int `json:"lows,omitempty"`
}

// FactsOf returns the facts of an event.
func FactsOf(e *schema.Event) Facts {
	d := &e.Data
	switch e.Kind().Aggregate() {
	case schema.AggregateOrder:
		return orderFacts(e.Kind(), d)
	case schema.AggregateCertificate:
		return certificateFacts(e.Kind(), d)
	case schema.AggregateDomain:
		return Facts{Domain: d.Domain, Until: d.ExpiresAt, Reason: d.Reason}
	case schema.AggregateOrganization:
		return Facts{Organization: d.OrganizationName, Until: d.ExpiresAt}
	case schema.AggregateDNSSEC:
		return Facts{Reason: d.Reason}
	case schema.AggregateUser:
		return userFacts(e.Kind(), d)
	case schema.AggregateTarget:
		return Facts{Target: targetName(d.Target), Reason: d.Reason}
	case schema.AggregateScan:
		return Facts{Findings: scanResult(d.Scan)}
	case schema.AggregateFinding:
		return Facts{Finding: findingName(d)}
	case schema.AggregateAttention:
		return decisionFacts(d.Matter)
	}
	return Facts{}
}

func orderFacts(k schema.Kind, d *schema.Data) Facts {
	switch k {
	case schema.OrderIssued:
		return Facts{Certificate: d.CertificateID, Until: notAfter(d.Certificate)}
	case schema.OrderRejected:
		return Facts{Reason: d.Reason}
	case schema.OrderCheckFailed, schema.OrderCheckDelayed:
		return Facts{Check: d.Check, Reason: d.Reason}
	case schema.OrderUpdated:
		if d.Check != "" {
			return Facts{Check: d.Check, State: d.CheckState, Reason: d.Reason}
		}
		return Facts{Event: d.Event}
	case schema.OrderDescribed:
		return openChecks(d.Checks)
	}
	return Facts{}
}

// openChecks lists the checks that have not passed: what matters of all that a provider's API says of an order.
func openChecks(checks schema.Checks) (f Facts) {
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		switch state := checks[name]; {
		case state == schema.CheckPassed:
		case len(f.Open) == namesListed:
			f.More++
		default:
			if f.Open == nil {
				f.Open = schema.Checks{}
			}
			f.Open[name] = state
		}
	}
	return f
}

func certificateFacts(k schema.Kind, d *schema.Data) Facts {
	f := Facts{Certificate: d.CertificateID}
	switch k {
	case schema.CertificateCollected:
		f.Until = notAfter(d.Certificate)
	case schema.CertificateRevocationAnnounced:
		f.Until, f.Reason = d.RevokesAt, d.Reason
	case schema.CertificateExpiring, schema.CertificateExpired, schema.CertificateRevoked:
		f.Reason = d.Reason
	}
	return f
}

func notAfter(c *schema.Certificate) *schema.Time {
	if c == nil {
		return nil
	}
	return c.NotAfter
}

// userFacts lists the kinds of the keys that were provisioned. Nothing else of a person may stand in a timeline.
func userFacts(k schema.Kind, d *schema.Data) (f Facts) {
	if k != schema.UserKeysProvisioned || d.User == nil {
		return f
	}
	for _, key := range d.User.Keys {
		f.Keys = append(f.Keys, key.Kind)
	}
	return f
}

func targetName(t *schema.Target) string {
	switch {
	case t == nil:
		return ""
	case t.Host != "":
		return t.Host
	}
	return t.Name
}

// scanResult returns the result of a scan that has ended; findings so far are no result.
func scanResult(s *schema.Scan) *Severities {
	if s == nil || s.CompletedAt == nil || s.Highs == nil && s.Mediums == nil && s.Lows == nil {
		return nil
	}
	return &Severities{s.Highs, s.Mediums, s.Lows}
}

func findingName(d *schema.Data) string {
	if d.Finding == nil || d.Finding.Name == "" {
		return d.FindingID
	}
	return d.Finding.Name
}

// decisionFacts returns the decision, its matter and the person's words; never who, since they stand in timelines.
func decisionFacts(m *schema.Matter) Facts {
	if m == nil {
		return Facts{}
	}
	f := Facts{Matter: m.Kind, Until: m.Until, Reason: m.Note}
	if m.Kind != schema.MatterQuarantined {
		f.Check = m.Part
	}
	return f
}
