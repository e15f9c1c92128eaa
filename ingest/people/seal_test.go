package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// heldKeys keeps keys in memory; a key that was destroyed and is made again is another.
type heldKeys struct {
	mu   sync.Mutex
	keys map[string][]byte
	made byte
}

func (k *heldKeys) Hash(source, name string) string {
	mac := hmac.New(sha256.New, []byte("a secret of the installation"))
	mac.Write([]byte(source + "\x00" + name))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func (k *heldKeys) Find(hash string) [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.keys[hash]; ok {
		return [][]byte{make([]byte, KeySize), key} // of two the right one opens
	}
	return nil
}

func (k *heldKeys) Make(hash string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[string][]byte{}
	}
	if k.keys[hash] == nil {
		k.made++
		sum := sha256.Sum256([]byte{k.made})
		k.keys[hash] = sum[:]
	}
	return k.keys[hash], nil
}

func (k *heldKeys) destroy(hash string) { delete(k.keys, hash) }

func jane() (*schema.Data, *schema.Original) {
	person := &schema.Person{
		ID: "17", Username: "CANARYjdoe", Name: "CANARY Doe", Email: "CANARY@example.test", Phone: "CANARY12345",
		Keys: []schema.PersonKey{{Kind: schema.KeySSH, Value: "ssh-rsa AAAA CANARY@laptop"}, {Kind: schema.KeyHardware, Value: "CANARY42"}},
	}
	active := true
	original := &schema.Original{Method: "POST", Query: "user=CANARY", Headers: map[string]string{"content-type": "application/json", "x-remote-user": "CANARY"},
		Body: json.RawMessage(`{"username":"CANARYjdoe"}`)}
	return &schema.Data{Provider: "defguard", Event: "user_created", Decoder: "defguard/1", User: &schema.User{Active: &active, Person: person}}, original
}

func TestSealPerson(t *testing.T) {
	keys := &heldKeys{}
	d, original := jane()
	person := *d.User.Person
	if err := SealPerson(keys, "id-1", person.Username, d, original); err != nil {
		t.Fatal(err)
	}
	e := schema.New("id-1", "/hooks/defguard", schema.Time{}, schema.UserCreated, *d)
	wire, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(wire) + e.NATSSubject(); strings.Contains(text, "CANARY") {
		t.Fatalf("the person stands in clear: %s", text)
	}
	if want := "certs.user.created.defguard." + keys.Hash("defguard", person.Username); e.NATSSubject() != want {
		t.Errorf("the subject is %s, want %s", e.NATSSubject(), want)
	}
	read, err := schema.Decode(wire)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Data.User.Keys) != 2 || read.Data.User.Keys[0].ID == read.Data.User.Keys[1].ID || *read.Data.User.Active != true {
		t.Errorf("in clear stands %+v", read.Data.User)
	}
	OpenPerson(keys, read)
	if !reflect.DeepEqual(read.Data.User.Person, &person) {
		t.Errorf("opened it is %+v, want %+v", read.Data.User.Person, person)
	}
	if opened, err := OpenOriginal(keys, read.Data.Original, e.ID); err != nil || !reflect.DeepEqual(opened, original) {
		t.Errorf("the original opened is %+v (%v), want %+v", opened, err, original)
	}
	if again, err := read.Encode(); err != nil || string(again) != string(wire) {
		t.Errorf("an event that was opened is written as %s (%v)", again, err)
	}
}

func TestForgottenStaysForgotten(t *testing.T) {
	keys := &heldKeys{}
	d, original := jane()
	if err := SealPerson(keys, "id-1", "CANARYjdoe", d, original); err != nil {
		t.Fatal(err)
	}
	e := schema.New("id-1", "/hooks/defguard", schema.Time{}, schema.UserCreated, *d)
	forgotten := func(when string) {
		t.Helper()
		OpenPerson(keys, e)
		if e.Data.User.Person != nil {
			t.Errorf("%s the person is there: %+v", when, e.Data.User.Person)
		}
		if _, err := OpenOriginal(keys, e.Data.Original, e.ID); !errors.Is(err, ErrForgotten) {
			t.Errorf("%s the original opens: %v", when, err)
		}
	}
	keys.destroy(d.UserID)
	forgotten("once the key is destroyed")
	if _, err := keys.Make(d.UserID); err != nil {
		t.Fatal(err)
	}
	forgotten("once another key was made")
}

func TestSealedIsBoundToItsPlace(t *testing.T) {
	keys := &heldKeys{}
	rapid.Check(t, func(t *rapid.T) {
		text, place := rapid.String().Draw(t, "text"), rapid.StringMatching(`[a-z]{1,8}/[a-z]{1,8}`).Draw(t, "place")
		sealed, err := Seal(keys, "h1", place, text)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := Seal(keys, "h1", place, text); again != sealed {
			t.Fatalf("sealed again it is %s, was %s", again, sealed)
		}
		var opened string
		if err := Unseal(keys, sealed, place, &opened); err != nil || opened != strings.ToValidUTF8(text, "\ufffd") {
			t.Fatalf("%q comes back as %q (%v)", text, opened, err)
		}
		if err := Unseal(keys, sealed, place+"x", &opened); !errors.Is(err, ErrForgotten) {
			t.Fatalf("it opens in another place: %v", err)
		}
		if err := Unseal(keys, strings.Replace(sealed, ":h1:", ":h2:", 1), place, &opened); !errors.Is(err, ErrForgotten) {
			t.Fatalf("it opens under another person's key: %v", err)
		}
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")]
		if err := Unseal(keys, cut, place, &opened); err == nil {
			t.Fatalf("%q, cut off, opens", cut)
		}
	})
}
