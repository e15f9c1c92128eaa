package lifecycle

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Where a user stands, beside Active.
const (
	Disabled = "disabled"
	Deleted  = "deleted" // also of a target
)

// Where a user's key stands, beside Replaced.
const KeyProvisioned = "provisioned"

// keysHeld bounds how many keys of one user are held: those that were replaced first go first.
const keysHeld = 100

// User holds the life of one person's account. State and Keys follow from what stands in clear in the log, so that they
// are the same before and after the person is forgotten; Person does not.
type User struct {
	Life
	State  string
	Person *schema.Person // without keys; nil where the person's key is no more
	Keys   []UserKey      // of each kind the last is the present one
}

// UserKey holds one key of a user. Another key of the same kind takes its place.
type UserKey struct {
	Kind          string       `json:"kind"` // pgp, ssh or hardware
	ID            string       `json:"id"`   // a keyed hash of it
	State         string       `json:"state"`
	ProvisionedAt schema.Time  `json:"provisioned_at"`
	ReplacedAt    *schema.Time `json:"replaced_at,omitempty"`
	Fingerprint   string       `json:"fingerprint,omitempty"` // of an SSH key, as OpenSSH writes it: SHA256:…
	Serial        string       `json:"serial,omitempty"`      // of hardware
}

// Fold returns u after the event at seq.
func (u User) Fold(seq uint64, e *schema.Event) User {
	if ignored(e) {
		return u
	}
	u.Life = u.Life.next(seq, e)
	d := e.Data.User
	switch e.Kind() {
	case schema.UserDeleted:
		u.State = Deleted
	case schema.UserKeysProvisioned:
		if u.State == "" {
			u.State = Active
		}
	case schema.UserCreated, schema.UserModified: // Defguard tells of a deletion that then fails: what is modified afterwards is there
		if u.State = Active; d != nil && d.Active != nil && !*d.Active {
			u.State = Disabled
		}
	}
	if d == nil {
		return u
	}
	u.Person = u.personAfter(e.Kind(), d)
	for i, key := range d.Keys {
		u.Keys = u.provisioned(key, value(d, i), e.OccurredAt())
	}
	u.Life = u.Life.readAll(&e.Data)
	return u
}

// personAfter returns the person after d. What an event says of a deletion or of keys is not all there is to say; of a
// user that was created or modified it is.
func (u User) personAfter(kind schema.Kind, d *schema.User) *schema.Person {
	if d.Person == nil {
		if d.Sealed == "" {
			return u.Person
		}
		return nil
	}
	now := *d.Person
	now.Keys = nil
	if u.Person == nil || kind == schema.UserCreated || kind == schema.UserModified {
		return &now
	}
	was := *u.Person
	for _, field := range []struct{ was, now *string }{{&was.ID, &now.ID}, {&was.Username, &now.Username}, {&was.Name, &now.Name}, {&was.Email, &now.Email}, {&was.Phone, &now.Phone}} {
		if *field.now != "" {
			*field.was = *field.now
		}
	}
	return &was
}

// value returns the person's key at i, "" where the person was forgotten.
func value(d *schema.User, i int) string {
	if d.Person == nil || len(d.Person.Keys) != len(d.Keys) {
		return ""
	}
	return d.Person.Keys[i].Value
}

func (u User) provisioned(key schema.UserKey, value string, at schema.Time) []UserKey {
	keys := slices.Clone(u.Keys)
	for i := range keys {
		if keys[i].Kind != key.Kind || keys[i].State != KeyProvisioned {
			continue
		}
		if keys[i].ID == key.ID {
			return keys
		}
		keys[i].State, keys[i].ReplacedAt = Replaced, &at
	}
	k := UserKey{Kind: key.Kind, ID: key.ID, State: KeyProvisioned, ProvisionedAt: at}
	switch key.Kind {
	case schema.KeySSH:
		k.Fingerprint = sshFingerprint(value)
	case schema.KeyHardware:
		k.Serial = value
	}
	keys = append(keys, k)
	return keys[max(0, len(keys)-keysHeld):]
}

// sshFingerprint returns the fingerprint of a public key in OpenSSH's format: "ssh-ed25519 AAAA… comment"; "" of
// anything else.
func sshFingerprint(key string) string {
	fields := strings.Fields(key)
	if len(fields) < 2 {
		return ""
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(blob) == 0 {
		return ""
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Shown returns a column's text of the person: what get gives, or that they were forgotten.
func (u User) Shown(get func(*schema.Person) string) string {
	if u.Person == nil {
		return schema.Forgotten
	}
	return get(u.Person)
}

// Changes returns what differs in after from u.
func (u User) Changes(after User, _ time.Time) []Changed {
	var c changes
	c.text(FieldState, u.State, after.State)
	before, now := u.person(), after.person()
	c.text(FieldUsername, before.Username, now.Username)
	c.text(FieldName, before.Name, now.Name)
	c.text(FieldEmail, before.Email, now.Email)
	c.text(FieldPhone, before.Phone, now.Phone)
	c.list(FieldGroupsAdded, FieldGroupsRemoved, before.Groups, now.Groups)
	c.list(FieldDevicesAdded, FieldDevicesRemoved, deviceNames(before.Devices), deviceNames(now.Devices))
	c.list(FieldKeysAdded, FieldKeysRemoved, keyNames(u.Keys), keyNames(after.Keys))
	c.text(FieldUnreadable, u.Unreadable, after.Unreadable)
	return c
}

// person returns the person, empty if they are not known.
func (u User) person() schema.Person {
	if u.Person == nil {
		return schema.Person{}
	}
	return *u.Person
}

func deviceNames(devices []schema.Device) []string {
	var names []string
	for _, d := range devices {
		names = append(names, d.Name)
	}
	return names
}

// keyNames lists the present keys.
func keyNames(keys []UserKey) []string {
	var names []string
	for _, k := range keys {
		if k.State == KeyProvisioned {
			names = append(names, k.Kind+":"+k.ID[:min(8, len(k.ID))])
		}
	}
	return names
}
