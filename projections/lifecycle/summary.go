package lifecycle

import (
	"maps"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Summary is what happened, in a short sentence for a timeline.
func Summary(e *schema.Event) string {
	d := &e.Data
	switch e.Kind() {
	case schema.OrderIssued:
		return sentence("Issued", named("certificate", d.CertificateID), validity(d.Certificate))
	case schema.OrderRejected:
		return because("Rejected by the CA", d.Reason)
	case schema.OrderCanceled:
		return "Canceled"
	case schema.OrderReissueReady:
		return "Ready to be reissued"
	case schema.OrderMessageReceived:
		return "The CA sent a message"
	case schema.OrderCheckFailed:
		return because(checkName(d.Check)+" check failed", d.Reason)
	case schema.OrderCheckDelayed:
		return because(checkName(d.Check)+" check delayed", d.Reason)
	case schema.OrderApprovalRequested:
		return "Approval requested by e-mail"
	case schema.OrderUpdated:
		if d.Check != "" {
			return because(checkName(d.Check)+" check "+string(d.CheckState), d.Reason)
		}
		return "Updated: " + d.Event
	case schema.OrderDescribed:
		return described(d)
	case schema.CertificateCollected:
		return sentence("Collected", named("certificate", d.CertificateID), validity(d.Certificate))
	case schema.CertificateExpiring, schema.CertificateExpired:
		return because(sentence("Certificate", d.CertificateID, words(e.Kind().Name())), d.Reason)
	case schema.CertificateRevoked:
		return because(sentence("Revoked", named("certificate", d.CertificateID)), d.Reason)
	case schema.CertificateReplaced:
		return sentence("Replaced", named("certificate", d.CertificateID))
	case schema.CertificateRevocationAnnounced:
		return because(sentence("Revocation", named("of certificate", d.CertificateID), "announced", until("for", d.RevokesAt)), d.Reason)
	case schema.DomainValidated, schema.DomainRevalidationDue, schema.DomainExpired, schema.DomainValidationFailed:
		return because(sentence("Domain", d.Domain, words(e.Kind().Name()), until("until", d.ExpiresAt)), d.Reason)
	case schema.OrganizationValidated, schema.OrganizationRevalidationDue, schema.OrganizationExpired:
		return sentence("Organization", d.OrganizationName, words(e.Kind().Name()), until("until", d.ExpiresAt))
	case schema.DNSSECRotationStarted:
		return "Key rotation started: publish the new DS"
	case schema.DNSSECRotationCompleted:
		return "Key rotation completed: the old DS can go"
	case schema.DNSSECRotationOverdue:
		return because("Key rotation overdue", d.Reason)
	case schema.DNSSECDescribed:
		return "DS records listed by the provider"
	case schema.DNSSECDSSeen:
		return because("The parent zone has the new DS", d.Reason)
	case schema.DNSSECDSGone:
		return because("The old DS is gone from the parent zone", d.Reason)
	case schema.UserCreated, schema.UserModified, schema.UserDeleted:
		return "User " + e.Kind().Name()
	case schema.UserKeysProvisioned:
		return because("Keys provisioned", userKeys(d.User))
	case schema.TargetCreated, schema.TargetDeleted, schema.TargetVerified, schema.TargetVerificationFailed:
		return because(sentence("Target", targetName(d.Target), words(e.Kind().Name())), d.Reason)
	case schema.ScanStarted, schema.ScanCanceled, schema.ScanCompleted, schema.ScanFailed:
		return because(sentence("Scan", e.Kind().Name()), scanResult(d.Scan))
	case schema.FindingDetected, schema.FindingFixed:
		return because(capital(e.Kind().Name()), findingName(d))
	case schema.AttentionAcknowledged, schema.AttentionSnoozed, schema.AttentionTaken, schema.AttentionReopened:
		return because(decisionText(e.Kind().Name(), d.Matter))
	}
	return capital(words(e.Kind().Name()))
}

// decisionText is what a person decided about which matter, and their words; never who, since it stands in timelines.
func decisionText(decision string, m *schema.Matter) (what, note string) {
	if m == nil {
		return capital(decision), ""
	}
	return sentence(capital(decision)+":", words(m.Kind), matterPart(m), until("until", m.Until)), m.Note
}

// matterPart is the check that the matter is about.
func matterPart(m *schema.Matter) string {
	if m.Part == "" || m.Kind == schema.MatterQuarantined {
		return ""
	}
	return "(" + checkField(m.Part) + ")"
}

// userKeys are the kinds of a user's keys. A summary tells nothing else of a person: it stands in timelines.
func userKeys(u *schema.User) string {
	if u == nil {
		return ""
	}
	var kinds []string
	for _, k := range u.Keys {
		kinds = append(kinds, k.Kind)
	}
	return strings.Join(kinds, ", ")
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

func scanResult(s *schema.Scan) string {
	if s == nil || s.CompletedAt == nil { // what it found so far is no result
		return ""
	}
	return severities(s)
}

func findingName(d *schema.Data) string {
	if d.Finding == nil || d.Finding.Name == "" {
		return d.FindingID
	}
	return d.Finding.Name
}

func capital(name string) string {
	return strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
}

// described is what a provider's API told of an order: the checks that have not passed, which are those that matter.
func described(d *schema.Data) string {
	var open []string
	for _, name := range slices.Sorted(maps.Keys(d.Checks)) {
		if state := d.Checks[name]; state != schema.CheckPassed {
			open = append(open, checkField(name)+" "+string(state))
		}
	}
	if len(open) == 0 {
		return "The provider described the order"
	}
	return "The provider described the order: " + namesText(open)
}

func checkName(check string) string {
	if domain, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
		return "Domain " + domain
	}
	if check == schema.CheckCSR {
		return "CSR"
	}
	if check == "" {
		return "Unnamed"
	}
	return strings.ToUpper(check[:1]) + check[1:]
}

func sentence(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

func named(what, id string) string {
	if id == "" {
		return ""
	}
	return what + " " + id
}

func validity(c *schema.Certificate) string {
	if c == nil {
		return ""
	}
	return until("until", c.NotAfter)
}

func until(word string, t *schema.Time) string {
	if t == nil {
		return ""
	}
	return word + " " + t.Format("2006-01-02")
}

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
