package projectionstest

import "github.com/certtrail/certtrail/schema"

// decision makes a person's decision about a matter of something that happened lately, whether or not it still is one.
func (h *historian) decision() *schema.Event {
	about := h.lately[h.IntN(len(h.lately))]
	m := schema.Matter{Since: about.Time, Kind: schema.MatterQuarantined, Part: "7"}
	d := &about.Data
	switch about.Kind() {
	case schema.OrderCheckFailed:
		m.Kind, m.Part = schema.MatterCheckFailed, d.Check
	case schema.OrderCheckDelayed:
		m.Kind, m.Part = schema.MatterCheckDelayed, d.Check
	case schema.OrderApprovalRequested:
		m.Kind, m.Part = schema.MatterApproval, d.Check
	case schema.OrderMessageReceived, schema.OrderUpdated:
		m.Kind, m.Part = schema.MatterMessage, ""
	case schema.OrderReissueReady:
		m.Kind, m.Part = schema.MatterReissue, ""
	case schema.CertificateRevoked:
		m.Kind, m.Part = schema.MatterRevoked, ""
	case schema.OrderIssued, schema.CertificateRevocationAnnounced:
		m.Kind, m.Part = schema.MatterRevocationAnnounced, ""
	case schema.DomainValidated, schema.DomainExpired:
		m.Kind, m.Part = schema.MatterDomainExpired, ""
	case schema.OrganizationValidated, schema.OrganizationExpired:
		m.Kind, m.Part = schema.MatterOrganizationExpired, ""
	case schema.OrderRejected:
		m.Kind, m.Part = schema.MatterRejected, ""
	case schema.DNSSECRotationStarted:
		m.Kind, m.Part = schema.MatterDSPublish, ""
	case schema.FindingDetected:
		m.Kind, m.Part = schema.MatterFinding, ""
	case schema.TargetVerified, schema.TargetVerificationFailed:
		m.Kind, m.Part = schema.MatterTargetFailed, ""
	}
	row := ""
	if id := d.RowID(m.Kind); id != nil {
		row = *id
	}
	kind := pick(h, schema.AttentionAcknowledged, schema.AttentionAcknowledged, schema.AttentionSnoozed, schema.AttentionTaken, schema.AttentionReopened)
	if kind == schema.AttentionSnoozed || h.maybe(30) {
		m.Until = h.later(7)
	}
	m.Note = pick(h, "", "asked the registrar")
	e := schema.NewDecision(h.uuid(), schema.At(h.now), kind, d.Provider, row, m)
	if h.maybe(40) {
		e.Data.UserID = h.hash()
		e.Data.User = &schema.User{Sealed: "sealed:v1:" + e.Data.UserID + ":" + h.hash()}
	}
	return e
}
