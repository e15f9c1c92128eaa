package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/api"
	"github.com/certtrail/certtrail/web/view"
)

func (s *Server) newUsers() *list[projections.User] {
	return newList(s, projections.Users, list[projections.User]{
		empty: "Every person whose account a provider reports appears here, with the keys that were provisioned for them. The log keeps personal data sealed, so a person can be forgotten.",
		finds: "a user by username, e-mail address, name or number, each as a whole",
		hint:  "username, e-mail, name",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "User", Class: "name"}, {Title: "E-mail"}, {Title: "ID"}, {Title: "Keys in use"},
			{Title: "First event", Field: "first_event_at", Down: true, Class: "time"}, {Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		List: api.List[projections.User]{Cells: map[string]func(*projections.User) string{
			"keys": func(u *projections.User) string { return strings.Join(keyKinds(*u), " ") },
		}},
		row: s.user,
	})
}

// userPage holds the data of user.html.
type userPage struct {
	*rowPage[projections.User]
	Keys []userKey
}

// userKey shows one key of a user on their page.
type userKey struct {
	Kind        string // as people say it
	State       string
	Name        string // what tells it from others: a fingerprint, a serial number or else the hash that certtrail made of it
	Hashed      bool   // it is that
	Provisioned view.Moment
	Replaced    view.Moment // zero: it is the present one
}

func (s *Server) user(w http.ResponseWriter, r *http.Request) error {
	p, err := readRow(s, w, r, projections.Users)
	if p == nil {
		return err
	}
	return s.render(w, http.StatusOK, "user", userPage{p, keysOf(p.Row, &p.frame)})
}

// keysOf returns the user's keys, the present ones first, and then the last replaced.
func keysOf(u *projections.User, f *frame) []userKey {
	var present, replaced []userKey
	for _, k := range slices.Backward(u.Keys) {
		key := userKey{Kind: keyWord(k.Kind), State: k.State, Provisioned: view.When(k.ProvisionedAt, f.Now)}
		switch {
		case k.Fingerprint != "":
			key.Name = k.Fingerprint
		case k.Serial != "":
			key.Name = k.Serial
		default:
			key.Name, key.Hashed = shortID(k.ID), true
		}
		if k.ReplacedAt == nil {
			present = append(present, key)
			continue
		}
		key.Replaced = view.When(*k.ReplacedAt, f.Now)
		replaced = append(replaced, key)
	}
	return append(present, replaced...)
}

// keyWord returns a kind of key as people say it.
func keyWord(kind string) string {
	switch kind {
	case schema.KeyPGP:
		return "PGP key"
	case schema.KeySSH:
		return "SSH key"
	case schema.KeyHardware:
		return "hardware key"
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// keyKinds returns the kinds of the user's present keys.
func keyKinds(u projections.User) []string {
	var kinds []string
	for _, k := range u.Keys {
		if k.ReplacedAt == nil && !slices.Contains(kinds, k.Kind) {
			kinds = append(kinds, k.Kind)
		}
	}
	return kinds
}

// keysText puts keyKinds in words: "PGP, SSH, hardware".
func keysText(u projections.User) string {
	words := keyKinds(u)
	for i, kind := range words {
		words[i] = strings.TrimSuffix(keyWord(kind), " key")
	}
	return strings.Join(words, ", ")
}
