package lifecycle

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

func aUser(kind schema.Kind, u *schema.User) *schema.Event {
	return schema.New("id", "/hooks/defguard", schema.At(began), kind, schema.Data{Provider: "defguard", UserID: "h", User: u})
}

func is(b bool) *bool { return &b }

func withKeys(pairs ...string) *schema.User {
	u := &schema.User{Sealed: "sealed", Person: &schema.Person{Username: "jdoe"}}
	for i := 0; i < len(pairs); i += 2 {
		u.Keys = append(u.Keys, schema.UserKey{Kind: pairs[i], ID: "hash of " + pairs[i+1]})
		u.Person.Keys = append(u.Person.Keys, schema.PersonKey{Kind: pairs[i], Value: pairs[i+1]})
	}
	return u
}

func TestUserStates(t *testing.T) {
	created, deleted, keys := aUser(schema.UserCreated, nil), aUser(schema.UserDeleted, nil), aUser(schema.UserKeysProvisioned, withKeys())
	disabled, enabled := aUser(schema.UserModified, &schema.User{Active: is(false)}), aUser(schema.UserModified, &schema.User{Active: is(true)})
	for name, c := range map[string]struct {
		events []*schema.Event
		want   string
	}{
		"created":                {[]*schema.Event{created}, Active},
		"created disabled":       {[]*schema.Event{aUser(schema.UserCreated, &schema.User{Active: is(false)})}, Disabled},
		"disabled":               {[]*schema.Event{created, disabled}, Disabled},
		"enabled":                {[]*schema.Event{created, disabled, enabled}, Active},
		"deleted":                {[]*schema.Event{created, deleted}, Deleted},
		"deleted, first heard":   {[]*schema.Event{deleted}, Deleted},
		"deletion failed":        {[]*schema.Event{created, deleted, enabled}, Active},
		"created again":          {[]*schema.Event{created, deleted, created}, Active},
		"keys of a stranger":     {[]*schema.Event{keys}, Active},
		"keys change no state":   {[]*schema.Event{created, disabled, keys}, Disabled},
		"keys of a deleted user": {[]*schema.Event{created, deleted, keys}, Deleted},
	} {
		if got := history(User.Fold, c.events).State; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestUserKeys(t *testing.T) {
	const ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ6bXJ5c2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxlc2E= jane@example.test"
	u := history(User.Fold, []*schema.Event{
		aUser(schema.UserCreated, withKeys()), aUser(schema.UserKeysProvisioned, withKeys("pgp", "A", "ssh", ssh, "hardware", "42")),
		aUser(schema.UserKeysProvisioned, withKeys("pgp", "A", "ssh", "no key at all", "hardware", "43")), aUser(schema.UserModified, withKeys()),
	})
	text := ""
	for _, k := range u.Keys {
		text += fmt.Sprintf("%s %s %s %s %v %s %s\n", k.Kind, k.ID[:9], k.State, k.ProvisionedAt, k.ReplacedAt, k.Fingerprint, k.Serial)
	}
	want := `pgp hash of A provisioned 2026-11-21T22:01:00.000Z <nil>  
ssh hash of s replaced 2026-11-21T22:01:00.000Z 2026-11-21T22:02:00.000Z ` + sshFingerprint(ssh) + ` 
hardware hash of 4 replaced 2026-11-21T22:01:00.000Z 2026-11-21T22:02:00.000Z  42
ssh hash of n provisioned 2026-11-21T22:02:00.000Z <nil>  
hardware hash of 4 provisioned 2026-11-21T22:02:00.000Z <nil>  43
`
	if text != want || !strings.HasPrefix(sshFingerprint(ssh), "SHA256:") {
		t.Errorf("the keys are\n%swant\n%s", text, want)
	}
}

// userEvent draws any event of one person; open says whether the person can be read in it.
func userEvent(open bool) *rapid.Generator[*schema.Event] {
	return rapid.Custom(func(t *rapid.T) *schema.Event {
		kind := rapid.SampledFrom([]schema.Kind{schema.UserCreated, schema.UserModified, schema.UserModified, schema.UserDeleted, schema.UserKeysProvisioned}).Draw(t, "kind")
		u := withKeys()
		if kind == schema.UserKeysProvisioned {
			u = withKeys("ssh", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "ssh"), "hardware", rapid.SampledFrom([]string{"1", "2"}).Draw(t, "serial"))
		}
		u.Active = rapid.SampledFrom([]*bool{nil, is(true), is(false)}).Draw(t, "active")
		u.Person.Email = rapid.SampledFrom([]string{"", "jane@example.test"}).Draw(t, "email")
		if !open {
			u.Person = nil
		}
		return aUser(kind, u)
	})
}

// TestForgettingChangesNoState: state and keys are the same whether or not the person can be read.
func TestForgettingChangesNoState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(userEvent(true), 1, 12).Draw(t, "events")
		var forgotten []*schema.Event
		for _, e := range events {
			f, u := *e, *e.Data.User
			u.Person = nil
			f.Data.User = &u
			forgotten = append(forgotten, &f)
		}
		known, gone := history(User.Fold, events), history(User.Fold, forgotten)
		if gone.Person != nil || gone.Shown(func(p *schema.Person) string { return p.Email }) != schema.Forgotten {
			t.Fatalf("the person is %+v", gone.Person)
		}
		if known.Person == nil || known.Person.Username != "jdoe" || known.Person.Keys != nil {
			t.Fatalf("the person is %+v", known.Person)
		}
		for i := range known.Keys {
			known.Keys[i].Fingerprint, known.Keys[i].Serial = "", ""
		}
		if known.Life != gone.Life || known.State != gone.State || !reflect.DeepEqual(known.Keys, gone.Keys) {
			t.Fatalf("known     %+v\nforgotten %+v", known, gone)
		}
	})
}

// TestUserFoldsArePure: repeating an event at once changes only the life, and folding changes no state that it was
// given.
func TestUserFoldsArePure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(userEvent(true), 1, 12).Draw(t, "events")
		u := history(User.Fold, events)
		before := fmt.Sprintf("%+v %+v", u, u.Person)
		last := events[len(events)-1]
		twice := u.Fold(99, last)
		if after := fmt.Sprintf("%+v %+v", u, u.Person); after != before {
			t.Fatalf("folding changed %s to %s", before, after)
		}
		if twice.State != u.State || !reflect.DeepEqual(twice.Keys, u.Keys) || !reflect.DeepEqual(twice.Person, u.Person) || twice.EventCount != u.EventCount+1 {
			t.Fatalf("once  %+v\ntwice %+v", u, twice)
		}
		for kind, present := range map[string]int{schema.KeySSH: 0, schema.KeyHardware: 0} {
			for _, k := range twice.Keys {
				if k.Kind == kind && k.State == KeyProvisioned {
					present++
				}
				if (k.State == Replaced) != (k.ReplacedAt != nil) {
					t.Fatalf("a key is %+v", k)
				}
			}
			if present > 1 {
				t.Fatalf("%d %s keys are present: %+v", present, kind, twice.Keys)
			}
		}
	})
}

func TestKeysHeld(t *testing.T) {
	var events []*schema.Event
	for i := range 2 * keysHeld {
		events = append(events, aUser(schema.UserKeysProvisioned, withKeys("ssh", fmt.Sprint(i))))
	}
	u := history(User.Fold, events)
	if len(u.Keys) != keysHeld || u.Keys[keysHeld-1].ID != fmt.Sprint("hash of ", 2*keysHeld-1) {
		t.Errorf("%d keys, the last %+v", len(u.Keys), u.Keys[len(u.Keys)-1])
	}
}

func TestUserChanges(t *testing.T) {
	created := aUser(schema.UserCreated, &schema.User{Sealed: "s", Person: &schema.Person{Username: "jdoe", Email: "a@b.example", Groups: []string{"a"}, Devices: []schema.Device{{Name: "laptop"}}}})
	modified := aUser(schema.UserModified, &schema.User{Sealed: "s", Active: is(false), Person: &schema.Person{Username: "jdoe", Email: "c@b.example", Groups: []string{"b"}}})
	for name, c := range map[string]struct{ got, want string }{
		"created":  {lastChanges(User.Fold, User.Changes, created), "[state:  > active][username:  > jdoe][email:  > a@b.example][groups_added:  > a][devices_added:  > laptop]"},
		"modified": {lastChanges(User.Fold, User.Changes, created, modified), "[state: active > disabled][email: a@b.example > c@b.example][groups_added:  > b][groups_removed:  > a][devices_removed:  > laptop]"},
		"keys":     {lastChanges(User.Fold, User.Changes, created, aUser(schema.UserKeysProvisioned, withKeys("ssh", "k"))), "[keys_added:  > ssh:hash of ]"},
		"deleted":  {lastChanges(User.Fold, User.Changes, created, aUser(schema.UserDeleted, withKeys())), "[state: active > deleted]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
}
