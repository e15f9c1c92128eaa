package schema

import "strings"

// Kind names what happened to what: "<aggregate>.<event>", both fixed tokens of a subject, the event a past participle.
// A kind that this program does not know is carried like any other.
type Kind string

// The kinds that certtrail's decoders produce, and those of what people decide.
const (
	OrderDescribed         Kind = "order.described"
	OrderUpdated           Kind = "order.updated"
	OrderIssued            Kind = "order.issued"
	OrderRejected          Kind = "order.rejected"
	OrderCanceled          Kind = "order.canceled"
	OrderReissueReady      Kind = "order.reissue_ready"
	OrderMessageReceived   Kind = "order.message_received"
	OrderCheckFailed       Kind = "order.check_failed"
	OrderCheckDelayed      Kind = "order.check_delayed"
	OrderApprovalRequested Kind = "order.approval_requested"

	CertificateCollected           Kind = "certificate.collected"
	CertificateRevoked             Kind = "certificate.revoked"
	CertificateReplaced            Kind = "certificate.replaced"
	CertificateRevocationAnnounced Kind = "certificate.revocation_announced"
	CertificateExpiring            Kind = "certificate.expiring"
	CertificateExpired             Kind = "certificate.expired"

	DomainValidated        Kind = "domain.validated"
	DomainValidationFailed Kind = "domain.validation_failed"
	DomainRevalidationDue  Kind = "domain.revalidation_due"
	DomainExpired          Kind = "domain.expired"

	OrganizationValidated       Kind = "organization.validated"
	OrganizationRevalidationDue Kind = "organization.revalidation_due"
	OrganizationExpired         Kind = "organization.expired"

	DNSSECRotationStarted   Kind = "dnssec.rotation_started"
	DNSSECRotationCompleted Kind = "dnssec.rotation_completed"
	DNSSECRotationOverdue   Kind = "dnssec.rotation_overdue"
	DNSSECDescribed         Kind = "dnssec.described"
	DNSSECDSSeen            Kind = "dnssec.ds_seen"
	DNSSECDSGone            Kind = "dnssec.ds_gone"

	AccountChallengeReceived Kind = "account.challenge_received"
	AccountTestReceived      Kind = "account.test_received"

	UserCreated         Kind = "user.created"
	UserModified        Kind = "user.modified"
	UserDeleted         Kind = "user.deleted"
	UserKeysProvisioned Kind = "user.keys_provisioned"

	TargetCreated            Kind = "target.created"
	TargetDeleted            Kind = "target.deleted"
	TargetVerified           Kind = "target.verified"
	TargetVerificationFailed Kind = "target.verification_failed"

	ScanStarted   Kind = "scan.started"
	ScanCanceled  Kind = "scan.canceled"
	ScanCompleted Kind = "scan.completed"
	ScanFailed    Kind = "scan.failed"

	FindingDetected Kind = "finding.detected"
	FindingFixed    Kind = "finding.fixed"

	AttentionAcknowledged Kind = "attention.acknowledged"
	AttentionSnoozed      Kind = "attention.snoozed"
	AttentionTaken        Kind = "attention.taken"
	AttentionReopened     Kind = "attention.reopened"

	LogGapAccepted Kind = "log.gap_accepted"

	DeliveryUnrecognized Kind = "delivery.unrecognized"
)

// The aggregates, the first token after "certs.".
const (
	AggregateOrder        = "order"
	AggregateCertificate  = "certificate"
	AggregateDomain       = "domain"
	AggregateOrganization = "organization"
	AggregateDNSSEC       = "dnssec"
	AggregateWebsite      = "website"
	AggregateDatabase     = "database"
	AggregateAccount      = "account"
	AggregateUser         = "user"
	AggregateTarget       = "target"
	AggregateScan         = "scan"
	AggregateFinding      = "finding"
	AggregateAttention    = "attention"
	AggregateLog          = "log"
	AggregateDelivery     = "delivery"
)

// Aggregate returns the kind's first part: "order" of "order.issued".
func (k Kind) Aggregate() string {
	aggregate, _, _ := strings.Cut(string(k), ".")
	return aggregate
}

// Name returns the kind's second part: "issued" of "order.issued".
func (k Kind) Name() string {
	_, name, _ := strings.Cut(string(k), ".")
	return name
}

// Type returns the CloudEvents type of version 1 of the kind: "certtrail.order.issued.v1".
func (k Kind) Type() string { return "certtrail." + string(k) + ".v1" }

// KindOf reads the kind out of a CloudEvents type, whatever its version; "" for a type that is not certtrail's.
func KindOf(eventType string) Kind {
	rest, ok := strings.CutPrefix(eventType, "certtrail.")
	if !ok {
		return ""
	}
	i := strings.LastIndex(rest, ".v")
	if i < 0 {
		return ""
	}
	return Kind(rest[:i])
}
