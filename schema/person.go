package schema

// User holds what the log says of a person whom an event is about. Only what does not identify them stands in clear:
// enough to tell the state of the account and of its keys, whether or not the person has been forgotten.
type User struct {
	Active *bool     `json:"active,omitempty"` // whether the account may be used, where the provider says
	Keys   []UserKey `json:"keys,omitempty"`   // the keys that the event says they have
	Sealed string    `json:"sealed,omitempty"` // a Person as Seal wrote it

	// Person is what Sealed holds; nil in the log, and where the person's key is no more. It never goes on the wire.
	Person *Person `json:"-"`
}

// UserKey holds one key of a person, without anything that identifies them.
type UserKey struct {
	Kind string `json:"kind"` // one of the Key kinds
	ID   string `json:"id"`   // Keys.Hash of the key: tells it from others
}

// The kinds of keys that a person has.
const (
	KeyPGP      = "pgp"
	KeySSH      = "ssh"
	KeyHardware = "hardware"
)

// Forgotten stands where a person was whose key was destroyed.
const Forgotten = "[forgotten]"

// Person holds all that a provider says of one of its users. It is only ever stored sealed.
type Person struct {
	ID        string      `json:"id,omitempty"`       // the provider's
	Username  string      `json:"username,omitempty"` // what they sign in with
	Name      string      `json:"name,omitempty"`     // the whole name
	FirstName string      `json:"first_name,omitempty"`
	LastName  string      `json:"last_name,omitempty"`
	Email     string      `json:"email,omitempty"`
	Phone     string      `json:"phone,omitempty"`
	Admin     *bool       `json:"admin,omitempty"`
	Enrolled  *bool       `json:"enrolled,omitempty"`
	MFA       *bool       `json:"mfa,omitempty"` // whether a second factor is asked for
	MFAMethod string      `json:"mfa_method,omitempty"`
	Groups    []string    `json:"groups,omitempty"`
	Devices   []Device    `json:"devices,omitempty"`
	Keys      []PersonKey `json:"keys,omitempty"`
}

// Device describes one device of a person.
type Device struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type,omitempty"` // the provider's word
	PublicKey string `json:"public_key,omitempty"`
}

// PersonKey holds one key of a person as the provider sent it.
type PersonKey struct {
	Kind  string `json:"kind"`
	Value string `json:"value"` // a public key with its comment, or a serial number
}
