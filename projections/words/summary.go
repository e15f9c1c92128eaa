package words

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Event says what an event tells, in a short sentence.
func Event(e *schema.Event, s Style) string { return Summary(e.Kind(), lifecycle.FactsOf(e), s) }

// Summarize fills in the summaries of a timeline.
func Summarize(entries []projections.TimelineEntry, s Style) {
	for i := range entries {
		e := &entries[i]
		e.Summary = Summary(schema.KindOf(e.Type), e.Facts, s)
	}
}

// Summary says what an event of that kind tells, in a short sentence for a timeline.
func Summary(k schema.Kind, f lifecycle.Facts, s Style) string {
	switch k.Aggregate() {
	case schema.AggregateOrder:
		return orderSummary(k, f, s)
	case schema.AggregateCertificate:
		return certificateSummary(k, f, s)
	case schema.AggregateDomain:
		return because(join("Domain", s.name(f.Domain), spaced(k.Name()), with("until", s.day(f.Until))), f.Reason)
	case schema.AggregateOrganization:
		return join("Organization", f.Organization, spaced(k.Name()), with("until", s.day(f.Until)))
	case schema.AggregateDNSSEC:
		return dnssecSummary(k, f)
	case schema.AggregateUser:
		return userSummary(k, f)
	case schema.AggregateTarget:
		return because(join("Target", s.name(f.Target), spaced(k.Name())), f.Reason)
	case schema.AggregateScan:
		return because("Scan "+spaced(k.Name()), severities(f.Findings))
	case schema.AggregateFinding:
		return because(Capital(spaced(k.Name())), f.Finding)
	case schema.AggregateAttention:
		return decisionSummary(k, f, s)
	}
	return Capital(spaced(k.Name()))
}

func orderSummary(k schema.Kind, f lifecycle.Facts, s Style) string {
	switch k {
	case schema.OrderIssued:
		return join("Issued", with("certificate", f.Certificate), with("until", s.day(f.Until)))
	case schema.OrderRejected:
		return because("Rejected by the CA", f.Reason)
	case schema.OrderReissueReady:
		return "Ready to be reissued"
	case schema.OrderMessageReceived:
		return "The CA sent a message"
	case schema.OrderCheckFailed:
		return because(checkFirst(f.Check, s)+" check failed", f.Reason)
	case schema.OrderCheckDelayed:
		return because(checkFirst(f.Check, s)+" check delayed", f.Reason)
	case schema.OrderApprovalRequested:
		return "Approval requested by e-mail"
	case schema.OrderUpdated:
		if f.Check != "" {
			return because(checkFirst(f.Check, s)+" check "+string(f.State), f.Reason)
		}
		return "Updated: " + f.Event
	case schema.OrderDescribed:
		return because("The provider described the order", openChecks(f, s))
	}
	return Capital(spaced(k.Name()))
}

// openChecks lists the checks that have not passed, and where they stand.
func openChecks(f lifecycle.Facts, s Style) string {
	var open []string
	for _, name := range slices.Sorted(maps.Keys(f.Open)) {
		open = append(open, checkInside(name, s)+" "+string(f.Open[name]))
	}
	return andMore(strings.Join(open, ", "), f.More)
}

func certificateSummary(k schema.Kind, f lifecycle.Facts, s Style) string {
	switch k {
	case schema.CertificateCollected:
		return join("Collected", with("certificate", f.Certificate), with("until", s.day(f.Until)))
	case schema.CertificateExpiring, schema.CertificateExpired:
		return because(join("Certificate", f.Certificate, spaced(k.Name())), f.Reason)
	case schema.CertificateRevoked:
		return because(join("Revoked", with("certificate", f.Certificate)), f.Reason)
	case schema.CertificateReplaced:
		return join("Replaced", with("certificate", f.Certificate))
	case schema.CertificateRevocationAnnounced:
		return because(join("Revocation", with("of certificate", f.Certificate), "announced", with("for", s.day(f.Until))), f.Reason)
	}
	return Capital(spaced(k.Name()))
}

func dnssecSummary(k schema.Kind, f lifecycle.Facts) string {
	switch k {
	case schema.DNSSECRotationStarted:
		return "Key rotation started: publish the new DS"
	case schema.DNSSECRotationCompleted:
		return "Key rotation completed: the old DS can go"
	case schema.DNSSECRotationOverdue:
		return because("Key rotation overdue", f.Reason)
	case schema.DNSSECDescribed:
		return "DS records listed by the provider"
	case schema.DNSSECDSSeen:
		return because("The parent zone has the new DS", f.Reason)
	case schema.DNSSECDSGone:
		return because("The old DS is gone from the parent zone", f.Reason)
	}
	return Capital(spaced(k.Name()))
}

func userSummary(k schema.Kind, f lifecycle.Facts) string {
	if k == schema.UserKeysProvisioned {
		return because("Keys provisioned", strings.Join(f.Keys, ", "))
	}
	return "User " + spaced(k.Name())
}

// severities counts a scan's findings: "1 high, 2 medium, 3 low"; "" if it does not say.
func severities(found *lifecycle.Severities) string {
	if found == nil {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		n    *int
		code string
	}{{found.Highs, lifecycle.High}, {found.Mediums, lifecycle.Medium}, {found.Lows, lifecycle.Low}} {
		if part.n != nil {
			parts = append(parts, severityCount(strconv.Itoa(*part.n), part.code))
		}
	}
	return strings.Join(parts, ", ")
}

// decisionSummary says what a person decided about which matter, and their words; never who.
func decisionSummary(k schema.Kind, f lifecycle.Facts, s Style) string {
	if f.Matter == "" {
		return Capital(spaced(k.Name()))
	}
	check := ""
	if f.Check != "" {
		check = "(" + checkInside(f.Check, s) + ")"
	}
	return because(join(Capital(spaced(k.Name()))+":", spaced(f.Matter), check, with("until", s.day(f.Until))), f.Reason)
}
