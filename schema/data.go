package schema

import (
	"encoding/json"
	"fmt"
)

// Data holds an event in certtrail's words: the ids it is about, what was understood, and the delivery it was read
// from. Ids are strings whatever the provider's type; a field that the delivery does not give is absent.
type Data struct {
	Provider   string `json:"provider"`              // the source's name: "digicert"
	Event      string `json:"event"`                 // the provider's own word: "certificate_issued"
	Decoder    string `json:"decoder"`               // what read it: "digicert/1"
	OccurredAt *Time  `json:"occurred_at,omitempty"` // the provider's own time, where it gives one

	OrderID          string `json:"order_id,omitempty"`
	CertificateID    string `json:"certificate_id,omitempty"`
	Domain           string `json:"domain,omitempty"` // lower-case A-labels, no final dot; may begin with "*."
	DomainID         string `json:"domain_id,omitempty"`
	OrganizationID   string `json:"organization_id,omitempty"`
	OrganizationName string `json:"organization_name,omitempty"`
	WebsiteID        string `json:"website_id,omitempty"`
	TargetType       string `json:"target_type,omitempty"`
	TargetID         string `json:"target_id,omitempty"`
	WebhookID        string `json:"webhook_id,omitempty"`
	UserID           string `json:"user_id,omitempty"` // whom it is about, or who decided: Keys.Hash of the person's name, since a subject must not name a person
	ScanID           string `json:"scan_id,omitempty"`
	FindingID        string `json:"finding_id,omitempty"` // FindingID of the target's id and the finding's number

	Check          string     `json:"check,omitempty"` // one of the Check names
	CheckState     CheckState `json:"check_state,omitempty"`
	Checks         Checks     `json:"checks,omitempty"` // all that an API's answer says of an order, where it says more than one thing
	Reason         string     `json:"reason,omitempty"` // the provider's words on why, or certtrail's on a delivery.unrecognized
	ValidationType string     `json:"validation_type,omitempty"`
	ExpiresAt      *Time      `json:"expires_at,omitempty"` // until when a validation may be reused
	RevokesAt      *Time      `json:"revokes_at,omitempty"` // when an announced revocation takes effect

	Certificate *Certificate `json:"certificate,omitempty"`
	DS          *DS          `json:"ds,omitempty"`
	DSRecords   []DS         `json:"ds_records,omitempty"` // all that an API lists of a zone, the one to prefer first
	User        *User        `json:"user,omitempty"`
	Target      *Target      `json:"target,omitempty"`
	Scan        *Scan        `json:"scan,omitempty"`
	Finding     *Finding     `json:"finding,omitempty"`
	Matter      *Matter      `json:"matter,omitempty"`
	Unreadable  []Unreadable `json:"unreadable,omitempty"` // parts of a known event that could not be read

	Original *Original `json:"original,omitempty"`
}

// CheckState says how far one of a CA's checks of an order is.
type CheckState string

// Checks maps the names of an order's checks to their states.
type Checks map[string]CheckState

// The states of a check.
const (
	CheckPassed  CheckState = "passed"
	CheckFailed  CheckState = "failed"
	CheckDelayed CheckState = "delayed"
	CheckPending CheckState = "pending"
)

// The names of an order's checks. A domain's is "domain:" and its name.
const (
	CheckCSR          = "csr"
	CheckOrganization = "organization"
	CheckPhone        = "phone"
	CheckWhois        = "whois"
	CheckBrand        = "brand"
	CheckApproval     = "approval"
	CheckIssuance     = "issuance"
)

// DomainCheck names the check of one domain of an order.
func DomainCheck(domain string) string { return "domain:" + domain }

// Certificate holds what an X.509 certificate says of itself. Serial number and fingerprint are lower-case hex without
// separators.
type Certificate struct {
	SerialNumber      string   `json:"serial_number,omitempty"`
	CommonName        string   `json:"common_name,omitempty"`
	DNSNames          []string `json:"dns_names,omitempty"` // lower-case A-labels
	Issuer            string   `json:"issuer,omitempty"`    // the issuer's common name, or its whole distinguished name where it has none
	NotBefore         *Time    `json:"not_before,omitempty"`
	NotAfter          *Time    `json:"not_after,omitempty"`
	KeyAlgorithm      string   `json:"key_algorithm,omitempty"` // "RSA-2048", "ECDSA-P-256", "Ed25519"
	FingerprintSHA256 string   `json:"fingerprint_sha256,omitempty"`
	PEM               string   `json:"pem,omitempty"`
}

// DS holds a delegation signer record as in RFC 4034, section 5. Digest is hex without white space, in the provider's
// case.
type DS struct {
	KeyTag     uint16 `json:"key_tag"`
	Algorithm  uint8  `json:"algorithm"`
	DigestType uint8  `json:"digest_type"`
	Digest     string `json:"digest"`
}

// Record writes the zone's DS record in presentation format (RFC 4034, section 5.3), without an owner name if zone is
// empty.
func (ds *DS) Record(zone string) string {
	record := fmt.Sprintf("IN DS %d %d %d %s", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	if zone == "" {
		return record
	}
	return zone + ". " + record
}

// Unreadable names a part of a known event that could not be read, and why.
type Unreadable struct {
	Part   string `json:"part"` // "certificate", "ds", "expires_at"
	Reason string `json:"reason"`
}

// Original keeps a delivery as it was received, after redaction, so that a better decoder can read it again.
type Original struct {
	Method     string            `json:"method"`
	Query      string            `json:"query"`   // raw, without the question mark
	Headers    map[string]string `json:"headers"` // lower-case names; repeated ones joined by ", "
	Body       json.RawMessage   `json:"body,omitempty"`
	BodyBase64 string            `json:"body_base64,omitempty"` // a body that is not JSON
	Sealed     string            `json:"sealed,omitempty"`      // all of it, where it is about a person: what Seal wrote of an Original
}
