package projections

import (
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// User is one person's account at one provider. Its id is a keyed hash of their name there; of a person who was forgotten, it is all that is known, with
// the state of the account and of its keys.
type User struct {
	Provider   string              `json:"provider"`
	ID         string              `json:"id"`
	State      string              `json:"state"`    // active, disabled, deleted
	Username   string              `json:"username"` // "[forgotten]" of a person who was, as name and email
	Name       string              `json:"name,omitempty"`
	Email      string              `json:"email,omitempty"`
	Forgotten  bool                `json:"forgotten,omitempty"`
	ProviderID string              `json:"provider_id,omitempty"` // the provider's own id of them
	FirstName  string              `json:"first_name,omitempty"`
	LastName   string              `json:"last_name,omitempty"`
	Phone      string              `json:"phone,omitempty"`
	Admin      *bool               `json:"admin,omitempty"`
	Enrolled   *bool               `json:"enrolled,omitempty"`
	MFA        *bool               `json:"mfa,omitempty"`
	MFAMethod  string              `json:"mfa_method,omitempty"`
	Groups     []string            `json:"groups,omitempty"`
	Devices    []schema.Device     `json:"devices,omitempty"`
	Keys       []lifecycle.UserKey `json:"keys,omitempty"` // of each kind the last is the present one
	Row
}

// Target is one thing that a scanner watches.
type Target struct {
	Provider           string       `json:"provider"`
	ID                 string       `json:"id"`
	State              string       `json:"state"` // created, verified, verification_failed, deleted
	Name               string       `json:"name,omitempty"`
	Host               string       `json:"host,omitempty"`
	URL                string       `json:"url,omitempty"`
	VerifiedAt         *schema.Time `json:"verified_at,omitempty"`
	VerificationMethod string       `json:"verification_method,omitempty"`
	Reason             string       `json:"reason,omitempty"` // why the verification failed
	Since              *schema.Time `json:"-"`                // when it was first heard to stand so
	Row
}

// Scan is one run of a scanner over a target.
type Scan struct {
	Provider    string       `json:"provider"`
	ID          string       `json:"id"`
	State       string       `json:"state"` // started, completed, canceled, failed
	TargetID    string       `json:"target_id,omitempty"`
	Host        string       `json:"host,omitempty"`
	Profile     string       `json:"profile,omitempty"`
	StartedAt   *schema.Time `json:"started_at,omitempty"`
	CompletedAt *schema.Time `json:"completed_at,omitempty"` // when it ended, however it did
	Lows        *int         `json:"lows,omitempty"`
	Mediums     *int         `json:"mediums,omitempty"`
	Highs       *int         `json:"highs,omitempty"`
	Row
}

// Finding is one weakness of a target. Its id is the target's and the number it has there: 3NnoNEvCLtsc:12.
type Finding struct {
	Provider      string       `json:"provider"`
	ID            string       `json:"id"`
	State         string       `json:"state"` // detected, fixed
	TargetID      string       `json:"target_id,omitempty"`
	Name          string       `json:"name,omitempty"`
	Severity      int          `json:"severity,omitempty"` // Probely: 10 low, 20 medium, 30 high
	TLS           bool         `json:"tls"`                // whether it is about TLS or certificates
	URL           string       `json:"url,omitempty"`
	Host          string       `json:"host,omitempty"`
	Method        string       `json:"method,omitempty"`
	Parameter     string       `json:"parameter,omitempty"`
	ProviderState string       `json:"provider_state,omitempty"` // notfixed, invalid, accepted, fixed
	DefinitionID  string       `json:"definition_id,omitempty"`
	CVSSScore     float64      `json:"cvss_score,omitempty"`
	CVSSVector    string       `json:"cvss_vector,omitempty"`
	LastFoundAt   *schema.Time `json:"last_found_at,omitempty"`
	DetectedAt    *schema.Time `json:"detected_at,omitempty"`
	FixedAt       *schema.Time `json:"fixed_at,omitempty"`
	Row
}
