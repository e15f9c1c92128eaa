package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

var users = &table[lifecycle.User, User]{
	name: lifecycle.Users, key: "id",
	fields:  []string{"state", "person", "keys"},
	derived: []string{"username", "name", "email"},
	bind: func(u *lifecycle.User) []any {
		return []any{&u.State, record(&u.Person), jsonColumn[[]lifecycle.UserKey]{&u.Keys, func(k []lifecycle.UserKey) bool { return len(k) == 0 }}}
	},
	life: func(u *lifecycle.User) *lifecycle.Life { return &u.Life },
	derive: func(u *lifecycle.User) []any {
		return []any{u.Shown(username), u.Shown(wholeName), u.Shown(email)}
	},
	fold:   lifecycle.User.Fold,
	sorts:  []string{"last_event_at", "first_event_at", "state", "username", "name", "email", "id", "provider"},
	states: equalTo("state", lifecycle.Active, lifecycle.Disabled, lifecycle.Deleted),
	exact:  []string{"id", "username", "email", "name"},
	item: func(provider, id string, u *lifecycle.User, _ time.Time) User {
		item := User{
			Provider: provider, ID: id, State: u.State, Username: u.Shown(username), Name: u.Shown(wholeName), Email: u.Shown(email), Keys: u.Keys, Forgotten: u.Person == nil, Row: rowOf(&u.Life),
		}
		if p := u.Person; p != nil {
			item.ProviderID, item.FirstName, item.LastName, item.Phone = p.ID, p.FirstName, p.LastName, p.Phone
			item.Admin, item.Enrolled, item.MFA, item.MFAMethod, item.Groups, item.Devices = p.Admin, p.Enrolled, p.MFA, p.MFAMethod, p.Groups, p.Devices
		}
		return item
	},
}

func username(p *schema.Person) string  { return p.Username }
func wholeName(p *schema.Person) string { return p.Name }
func email(p *schema.Person) string     { return p.Email }
