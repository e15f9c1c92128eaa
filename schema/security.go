package schema

// Target describes what a scanner watches.
type Target struct {
	Name               string `json:"name,omitempty"`
	URL                string `json:"url,omitempty"`  // without user, query and fragment
	Host               string `json:"host,omitempty"` // a domain name as lower-case A-labels, or an address
	Verified           *bool  `json:"verified,omitempty"`
	VerificationMethod string `json:"verification_method,omitempty"`
}

// Scan describes one run of a scanner over a target.
type Scan struct {
	Status      string `json:"status,omitempty"` // the provider's word
	Profile     string `json:"profile,omitempty"`
	StartedAt   *Time  `json:"started_at,omitempty"`
	CompletedAt *Time  `json:"completed_at,omitempty"`
	Lows        *int   `json:"lows,omitempty"` // how many findings it has of that severity
	Mediums     *int   `json:"mediums,omitempty"`
	Highs       *int   `json:"highs,omitempty"`
}

// Finding describes one weakness of a target.
type Finding struct {
	Name         string  `json:"name,omitempty"` // of its definition
	DefinitionID string  `json:"definition_id,omitempty"`
	URL          string  `json:"url,omitempty"` // without user, query and fragment
	Host         string  `json:"host,omitempty"`
	Method       string  `json:"method,omitempty"`
	Parameter    string  `json:"parameter,omitempty"`
	State        string  `json:"state,omitempty"`    // the provider's word
	Severity     int     `json:"severity,omitempty"` // the provider's number
	CVSSScore    float64 `json:"cvss_score,omitempty"`
	CVSSVector   string  `json:"cvss_vector,omitempty"`
	LastFoundAt  *Time   `json:"last_found_at,omitempty"`
}

// FindingID makes the id of a finding whose number is unique only within its target.
func FindingID(target, number string) string { return orUnderscore(target) + ":" + number }
