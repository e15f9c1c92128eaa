package defguard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const decoder = "defguard/1"

// Limits of the lists that are kept of a user; the whole is in the original.
const (
	maxGroups  = 200
	maxDevices = 200
	maxKey     = 64 << 10 // bytes of a public key
)

// events maps the values of the header X-Defguard-Event, which alone says what happened.
var events = map[string]schema.Kind{
	"user_created":  schema.UserCreated,
	"user_modified": schema.UserModified,
	"user_deleted":  schema.UserDeleted, // sent before the database commits, so that now and then it did not happen
	"user_keys":     schema.UserKeysProvisioned,
}

// user holds any body: UserInfo of any release, {"username"} of a deletion, HWKeyUserData. Which keys are there depends
// on the release: ssh_key, pgp_key and pgp_cert_id went from UserInfo with v0.10.0, is_active came with v0.7.0,
// enrolled with v0.11.0, is_admin with v1.2.0, name with v2.0.0.
type user struct {
	ID        provider.Text `json:"id"`
	Username  provider.Text `json:"username"`
	Name      provider.Text `json:"name"`
	FirstName provider.Text `json:"first_name"`
	LastName  provider.Text `json:"last_name"`
	Email     provider.Text `json:"email"`
	Phone     provider.Text `json:"phone"`
	Active    provider.Bool `json:"is_active"`
	Enrolled  provider.Bool `json:"enrolled"`
	Admin     provider.Bool `json:"is_admin"`
	MFA       provider.Bool `json:"mfa_enabled"`
	MFAMethod provider.Text `json:"mfa_method"`
	Groups    texts         `json:"groups"`
	Devices   devices       `json:"devices"`
	SSHKey    provider.Text `json:"ssh_key"`
	PGPKey    provider.Text `json:"pgp_key"`
	PGPCertID provider.Text `json:"pgp_cert_id"` // until v0.9 the serial number of the hardware key's certificate
	Serial    provider.Text `json:"serial"`
}

// Decode says what d means. No reason quotes the body: all of it is about a person.
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	event := strings.TrimSpace(strings.ToValidUTF8(d.Get(headerEvent), "\ufffd"))
	u, err := read(d.Body)
	var syntax *json.SyntaxError
	switch {
	case event == "":
		return quarantine("", "The delivery has no header X-Defguard-Event, which alone says what happened.", true)
	case errors.As(err, &syntax):
		return quarantine(event, "The body is not JSON.", true)
	}
	kind, ok := events[event]
	if !ok {
		return quarantine(event, fmt.Sprintf("The event %.80q is documented nowhere.", event), false)
	}
	if u.Username == "" {
		return quarantine(event, fmt.Sprintf("The %s event has no username.", event), true)
	}
	out := schema.Data{Event: event, Decoder: decoder}
	if _, err := schema.ID(string(u.Username)); err != nil {
		return quarantine(event, fmt.Sprintf("The username cannot be used: %v.", err), true)
	}
	out.User = &schema.User{Active: u.Active.Value, Person: u.person()}
	return kind, out, nil
}

// Person returns whom d is about: always somebody, whether or not it says who. It goes by the username, because only
// some bodies have the id.
func (p *Provider) Person(d *provider.Delivery) (name string, about bool) {
	u, err := read(d.Body)
	if err != nil || u.Username == "" {
		return "", true
	}
	if name, err = schema.ID(string(u.Username)); err != nil {
		return "", true
	}
	return name, true
}

// read reads what of a user is there. A body that is JSON, but no object, has nothing of one.
func read(body []byte) (u user, err error) {
	err = json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &u)
	return u, err
}

func (u *user) person() *schema.Person {
	text := func(t provider.Text) string { return provider.Clip(string(t), provider.MaxText) }
	person := &schema.Person{
		ID: text(u.ID), Username: text(u.Username), Name: text(u.Name), FirstName: text(u.FirstName), LastName: text(u.LastName),
		Email: text(u.Email), Phone: text(u.Phone), Enrolled: u.Enrolled.Value, Admin: u.Admin.Value, MFA: u.MFA.Value, MFAMethod: text(u.MFAMethod),
		Groups: u.Groups, Devices: u.Devices,
	}
	if person.Name == "" {
		person.Name = strings.TrimSpace(person.FirstName + " " + person.LastName)
	}
	serial := u.Serial
	if serial == "" {
		serial = u.PGPCertID
	}
	for _, key := range []struct {
		kind  string
		value provider.Text
	}{{schema.KeyPGP, u.PGPKey}, {schema.KeySSH, u.SSHKey}, {schema.KeyHardware, serial}} {
		if key.value != "" && len(key.value) <= maxKey {
			person.Keys = append(person.Keys, schema.PersonKey{Kind: key.kind, Value: string(key.value)})
		}
	}
	return person
}

// texts holds a list of strings; anything else is as if absent.
type texts []string

// UnmarshalJSON never fails.
func (t *texts) UnmarshalJSON(b []byte) error {
	*t = nil
	var list []provider.Text
	_ = json.Unmarshal(b, &list)
	for _, item := range list {
		if item != "" && len(*t) < maxGroups {
			*t = append(*t, provider.Clip(string(item), provider.MaxText))
		}
	}
	return nil
}

type devices []schema.Device

// UnmarshalJSON never fails.
func (ds *devices) UnmarshalJSON(b []byte) error {
	*ds = nil
	var list []json.RawMessage
	_ = json.Unmarshal(b, &list)
	for _, item := range list {
		var d struct {
			ID        provider.Text `json:"id"`
			Name      provider.Text `json:"name"`
			Type      provider.Text `json:"device_type"`
			PublicKey provider.Text `json:"wireguard_pubkey"`
		}
		if json.Unmarshal(item, &d) != nil || len(*ds) == maxDevices {
			continue
		}
		text := func(t provider.Text) string { return provider.Clip(string(t), provider.MaxText) }
		if device := (schema.Device{ID: text(d.ID), Name: text(d.Name), Type: text(d.Type), PublicKey: text(d.PublicKey)}); device != (schema.Device{}) {
			*ds = append(*ds, device)
		}
	}
	return nil
}

func quarantine(event, reason string, unreadable bool) (schema.Kind, schema.Data, error) {
	event = provider.Clip(event, provider.MaxEvent)
	return "", schema.Data{Event: event, Decoder: decoder}, &provider.Quarantine{Event: event, Reason: reason, Unreadable: unreadable}
}
