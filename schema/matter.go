package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// WebSource names the source of the events that people append on certtrail's pages.
const WebSource = "/web"

// WebDecoder names the decoder of those events.
const WebDecoder = "web/1"

// Matter identifies one occurrence of something that a person should act on, and says what they decided about it. The
// ids beside it (order_id, certificate_id, domain and so on, at most one of them) name the row that it concerns.
type Matter struct {
	ID    string `json:"id"`              // MatterID
	Kind  string `json:"kind"`            // one of the Matter kinds
	Part  string `json:"part,omitempty"`  // of the row: a check's name; of a quarantined delivery its sequence
	Since Time   `json:"since"`           // which occurrence it is: when it began, or the end that it is about
	Until *Time  `json:"until,omitempty"` // how long a decision holds; absent: until another
	Note  string `json:"note,omitempty"`  // a person's words
}

// The kinds of matters.
const (
	MatterRevocationAnnounced = "revocation_announced"
	MatterRevoked             = "certificate_revoked"
	MatterCheckFailed         = "check_failed"
	MatterCheckDelayed        = "check_delayed"
	MatterApproval            = "approval_requested"
	MatterMessage             = "message_received"
	MatterReissue             = "reissue_ready"
	MatterRejected            = "order_rejected"
	MatterDomainFailed        = "domain_failed"
	MatterDomainExpired       = "domain_expired"
	MatterDomainLapses        = "domain_lapses"
	MatterOrganizationExpired = "organization_expired"
	MatterOrganizationLapses  = "organization_lapses"
	MatterExpires             = "certificate_expires"
	MatterDSPublish           = "ds_publish"
	MatterDSRetract           = "ds_retract"
	MatterSilent              = "provider_silent"
	MatterQuarantined         = "delivery_quarantined"
	MatterTargetFailed        = "target_verification_failed"
	MatterFinding             = "finding_detected"
	MatterEventsLost          = "events_lost" // nobody decides about it here: an operator accepts the gap
)

// RowID points to the id in d that names the row of a matter of that kind; nil if it concerns no row, or the kind is
// not known.
func (d *Data) RowID(kind string) *string {
	switch kind {
	case MatterCheckFailed, MatterCheckDelayed, MatterApproval, MatterMessage, MatterReissue, MatterRejected:
		return &d.OrderID
	case MatterRevocationAnnounced, MatterRevoked, MatterExpires:
		return &d.CertificateID
	case MatterDomainFailed, MatterDomainExpired, MatterDomainLapses:
		return &d.Domain
	case MatterOrganizationExpired, MatterOrganizationLapses:
		return &d.OrganizationID
	case MatterDSPublish, MatterDSRetract:
		return &d.WebsiteID
	case MatterTargetFailed:
		return &d.TargetID
	case MatterFinding:
		return &d.FindingID
	}
	return nil
}

// KnownMatter reports whether there are matters of that kind.
func KnownMatter(kind string) bool {
	return kind == MatterSilent || kind == MatterQuarantined || new(Data).RowID(kind) != nil
}

// MatterID names one occurrence of a matter: the same in every rebuild and in every copy of the log, and another for
// the next occurrence. row is empty where it concerns none.
func MatterID(kind, provider, row, part string, since Time) string {
	h := sha256.New()
	for _, s := range []string{kind, provider, row, part, since.String()} {
		fmt.Fprintf(h, "%d %s\n", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// NewDecision makes the event of kind k, appended at t under id: what a person decided about matter m of that row at
// the provider.
func NewDecision(id string, t Time, k Kind, provider, row string, m Matter) *Event {
	d := Data{Provider: provider, Event: k.Name(), Decoder: WebDecoder}
	if at := d.RowID(m.Kind); at != nil {
		*at = row
	}
	m.ID = MatterID(m.Kind, provider, row, m.Part, m.Since)
	d.Matter = &m
	return New(id, WebSource, t, k, d)
}
