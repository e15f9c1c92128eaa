package lifecycle

import "strings"

// The fields of Changed. A check's is CheckField or ReasonField with the check's name after it: "check:organization",
// "check:domain:a.example".
const (
	FieldState       = "state"
	FieldLastReport  = "last_report" // of a website
	FieldNextStep    = "next_step"
	FieldReason      = "reason"
	FieldUnreadable  = "unreadable"
	FieldName        = "name"
	FieldHost        = "host"
	FieldURL         = "url"
	FieldMessage     = "message"  // Unanswered, while a message of the CA is
	FieldOrder       = "order_id" // of a certificate
	FieldCertificate = "certificate_id"

	FieldRevokedAdded   = "revoked_certificates_added"
	FieldRevokedRemoved = "revoked_certificates_removed"

	FieldCommonName   = "common_name"
	FieldNamesAdded   = "names_added"
	FieldNamesRemoved = "names_removed"
	FieldIssuer       = "issuer"
	FieldNotBefore    = "not_before"
	FieldNotAfter     = "not_after"
	FieldKey          = "key_algorithm"
	FieldSerial       = "serial_number"
	FieldFingerprint  = "fingerprint_sha256"
	FieldAnnounced    = "revocation_announced"
	FieldRevokesAt    = "revokes_at"

	FieldZone        = "domain"
	FieldDS          = "ds"
	FieldPreviousDS  = "previous_ds"
	FieldStartedAt   = "started_at"
	FieldRotatedAt   = "completed_at" // the end of a rotation
	FieldEndedAt     = "ended_at"     // the end of a scan, however it ended
	FieldValidatedAt = "validated_at"
	FieldExpiresAt   = "expires_at"
	FieldValidation  = "validation_type"

	FieldTarget        = "target_id"
	FieldVerifiedAt    = "verified_at"
	FieldFindings      = "findings" // of a scan: how many of each severity, "high:1, low:3"
	FieldSeverity      = "severity"
	FieldProviderState = "provider_state"
	FieldDetectedAt    = "detected_at"
	FieldFixedAt       = "fixed_at"

	FieldUsername       = "username"
	FieldEmail          = "email"
	FieldPhone          = "phone"
	FieldGroupsAdded    = "groups_added"
	FieldGroupsRemoved  = "groups_removed"
	FieldDevicesAdded   = "devices_added"
	FieldDevicesRemoved = "devices_removed"
	FieldKeysAdded      = "keys_added" // each as its kind and the beginning of its id: "ssh:efb8b828"
	FieldKeysRemoved    = "keys_removed"
)

const (
	checkPrefix  = "check:"
	reasonPrefix = "reason:"
)

// CheckField returns the field of a check's state.
func CheckField(check string) string { return checkPrefix + check }

// ReasonField returns the field of the provider's words on a check, where only those changed.
func ReasonField(check string) string { return reasonPrefix + check }

// CheckOf returns the name of the check whose state the field is; false of any other field.
func CheckOf(field string) (check string, ok bool) { return strings.CutPrefix(field, checkPrefix) }

// ReasonOf returns the name of the check whose reason the field is; false of any other field.
func ReasonOf(field string) (check string, ok bool) { return strings.CutPrefix(field, reasonPrefix) }

// The values of fields that are neither a text, a number, a time nor a state.
const (
	Unanswered = "unanswered"
	True       = "true"
)

// Fields lists the fields of Changed, without those of checks.
func Fields() []string {
	return []string{
		FieldState, FieldLastReport, FieldNextStep, FieldReason, FieldUnreadable, FieldName, FieldHost, FieldURL, FieldMessage, FieldOrder, FieldCertificate,
		FieldRevokedAdded, FieldRevokedRemoved, FieldCommonName, FieldNamesAdded, FieldNamesRemoved, FieldIssuer, FieldNotBefore, FieldNotAfter, FieldKey,
		FieldSerial, FieldFingerprint, FieldAnnounced, FieldRevokesAt, FieldZone, FieldDS, FieldPreviousDS, FieldStartedAt, FieldRotatedAt, FieldEndedAt,
		FieldValidatedAt, FieldExpiresAt, FieldValidation, FieldTarget, FieldVerifiedAt, FieldFindings, FieldSeverity, FieldProviderState, FieldDetectedAt,
		FieldFixedAt, FieldUsername, FieldEmail, FieldPhone, FieldGroupsAdded, FieldGroupsRemoved, FieldDevicesAdded, FieldDevicesRemoved, FieldKeysAdded,
		FieldKeysRemoved,
	}
}
