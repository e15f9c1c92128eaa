package schema

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
)

// heldKeys are keys in memory; a key that was destroyed and is made again is another.
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

func jane() (*Data, *Original) {
	person := &Person{
		ID: "17", Username: "CANARYjdoe", Name: "CANARY Doe", Email: "CANARY@example.test", Phone: "CANARY12345",
		Keys: []PersonKey{{KeySSH, "ssh-rsa AAAA CANARY@laptop"}, {KeyHardware, "CANARY42"}},
	}
	active := true
	original := &Original{Method: "POST", Query: "user=CANARY", Headers: map[string]string{"content-type": "application/json", "x-remote-user": "CANARY"},
		Body: json.RawMessage(`{"username":"CANARYjdoe"}`)}
	return &Data{Provider: "defguard", Event: "user_created", Decoder: "defguard/1", User: &User{Active: &active, Person: person}}, original
}

func TestSealPerson(t *testing.T) {
	keys := &heldKeys{}
	d, original := jane()
	person := *d.User.Person
	if err := SealPerson(keys, "id-1", person.Username, d, original); err != nil {
		t.Fatal(err)
	}
	e := New("id-1", "/hooks/defguard", Time{}, UserCreated, *d)
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
	read, err := Decode(wire)
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
	if opened, err := read.Data.Original.Open(keys, e.ID); err != nil || !reflect.DeepEqual(opened, original) {
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
	e := New("id-1", "/hooks/defguard", Time{}, UserCreated, *d)
	forgotten := func(when string) {
		t.Helper()
		OpenPerson(keys, e)
		if e.Data.User.Person != nil {
			t.Errorf("%s the person is there: %+v", when, e.Data.User.Person)
		}
		if _, err := e.Data.Original.Open(keys, e.ID); !errors.Is(err, ErrForgotten) {
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

// TestSparedRedaction: what is going to be sealed keeps its people, and loses its secrets all the same.
func TestSparedRedaction(t *testing.T) {
	d := &Delivery{Method: "POST", Body: []byte(`{"username":"jdoe","first_name":"Jane","email":"jane@example.test","phone":"+31 612345678","user":{"name":"Jane"},"token":"CANARY1",` +
		`"note":"Authorization: Bearer CANARY2abcdef0123456789","inner":"{\"name\":\"Jane\",\"password\":\"CANARY3\"}","phone2":12345678,"known":"CANARY4-credential"}`)}
	got := string(NewRedactor([]string{"CANARY4-credential"}).RedactSecrets(d, nil).Body)
	for _, kept := range []string{`"jdoe"`, `"Jane"`, `jane@example.test`, `612345678`, `\"name\":\"Jane\"`, `12345678`} {
		if !strings.Contains(got, kept) {
			t.Errorf("%s is gone from %s", kept, got)
		}
	}
	if strings.Contains(got, "CANARY") {
		t.Errorf("a secret is left in %s", got)
	}
}

// TestProbelysSecrets are all places of a site and a finding that bear secrets, also inside a content that is JSON in a string.
func TestProbelysSecrets(t *testing.T) {
	site := `{"id":"s","basic_auth":{"username":"CANARY"},"form_login":[{"name":"p","value":"CANARY"}],"otp_secret":"CANARY","headers":[{"name":"X","value":"CANARY"}],"cookies":[{"name":"c","value":"CANARY"}],"verification_token":"CANARY","host":"kept.example"}`
	finding := `{"id":12,"target":{"id":"t","site":` + site + `},"requests":[{"request":"GET / CANARY","response":"CANARY"}],"evidence":"CANARY","definition":{"name":"kept"}}`
	quoted, err := json.Marshal(finding)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(`{"id":"t","site":` + string(mustMarshal(t, site)) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{finding, string(quoted), string(twice), `{"id":"s","target":{"site":` + site + `}}`} {
		got := string(Redact(&Delivery{Method: "POST", Body: []byte(`{"id":"e","event_type":"x","content":` + content + `}`)}, nil, nil).Body)
		if strings.Contains(got, "CANARY") || !strings.Contains(got, "kept") {
			t.Errorf("%s\nis kept as\n%s", content, got)
		}
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
