package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// User shows one person's account at one provider. Its id is a keyed hash of their name there; of a person who was
// forgotten, it is all that is known, with the state of the account and of its keys.
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

// Users keeps people's accounts. What tells of a person is only here, and sealed in the log.
var Users = define(Table[lifecycle.User, User]{
	Spec: Spec{
		Name: lifecycle.Users, Title: "Users", Noun: "user", Key: "id",
		Sorts:   []string{"last_event_at", "first_event_at", "state", "username", "name", "email", "id", "provider"},
		States:  equalTo("state", lifecycle.Active, lifecycle.Disabled, lifecycle.Deleted),
		Exact:   []string{"id", "username", "email", "name"},
		CSV:     []string{"provider", "id", "state", "username", "name", "email", "groups", "keys", "event_count", "first_event_at", "last_event_at"},
		Persons: true,
		Covert:  []string{"username", "name", "email"},
	},
	columns: func(u *lifecycle.User) []Column {
		return []Column{
			{"state", &u.State},
			{"person", record(&u.Person)}, // empty where the person was forgotten
			{"keys", jsonColumn[[]lifecycle.UserKey]{&u.Keys, func(k []lifecycle.UserKey) bool { return len(k) == 0 }}},
		}
	},
	derived: func(u *lifecycle.User) []Column { // of the person, or that they were forgotten
		return []Column{
			{"username", u.Shown(username)},
			{"name", u.Shown(wholeName)},
			{"email", u.Shown(email)},
		}
	},
	life:    func(u *lifecycle.User) *lifecycle.Life { return &u.Life },
	fold:    lifecycle.User.Fold,
	changes: lifecycle.User.Changes,
	item: func(k Key, u *lifecycle.User, _ time.Time) User {
		item := User{
			Provider: k.Provider, ID: k.ID, State: u.State, Username: u.Shown(username), Name: u.Shown(wholeName), Email: u.Shown(email),
			Keys: u.Keys, Forgotten: u.Person == nil, Row: rowOf(&u.Life),
		}
		if p := u.Person; p != nil {
			item.ProviderID, item.FirstName, item.LastName, item.Phone = p.ID, p.FirstName, p.LastName, p.Phone
			item.Admin, item.Enrolled, item.MFA, item.MFAMethod, item.Groups, item.Devices = p.Admin, p.Enrolled, p.MFA, p.MFAMethod, p.Groups, p.Devices
		}
		return item
	},
})

func username(p *schema.Person) string  { return p.Username }
func wholeName(p *schema.Person) string { return p.Name }
func email(p *schema.Person) string     { return p.Email }
