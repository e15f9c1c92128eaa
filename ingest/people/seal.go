package people

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/jsonscan"
)

// KeySize counts the bytes of a person's key.
const KeySize = 32

// Keys hold one key for each person, outside the log: once a key is destroyed, what was sealed with it is gone, though
// the log is whole. Their methods may be called at once from many goroutines.
type Keys interface {
	// Hash names a person without telling who it is: the same source and name always give the same, and without the
	// installation's secret nobody can try names. It is made of letters and digits.
	Hash(source, name string) string
	// Find returns the keys of the person of that hash, none once they were forgotten. There are two where one had to
	// stand in for another.
	Find(hash string) (keys [][]byte)
	// Make returns the key to seal with, made if there is none, and durable: a key that was lost would take with it
	// what was sealed with it.
	Make(hash string) (key []byte, err error)
}

// sealMark begins every sealed text, with the version of the format: sealed:v1:<hash>:<base64 of nonce and ciphertext>.
const sealMark = "sealed:v1:"

// Seal encrypts v, as JSON, under the key of the person of that hash, bound to its place in an event: "<event
// id>/<place>". The same v in the same place under the same key always gives the same text, so that an event that is
// derived again can be compared with the first. For that, the nonce is a keyed digest of all that is sealed: it comes
// again only with the same text.
func Seal(keys Keys, hash, place string, v any) (string, error) {
	plain, err := jsonscan.Marshal(v)
	if err != nil {
		return "", err
	}
	key, err := keys.Make(hash)
	if err != nil {
		return "", fmt.Errorf("couldn't make a key for a person: %w", err)
	}
	aead, err := sealer(key)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "nonce %d %s", len(place), place)
	mac.Write(plain)
	nonce := mac.Sum(nil)[:aead.NonceSize()]
	return sealMark + hash + ":" + base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, []byte(place))), nil
}

// ErrForgotten says that what was sealed cannot be opened any more: the person's key was destroyed.
var ErrForgotten = errors.New("the person's key was destroyed")

// Unseal reads into v what Seal made of it for the place. ErrForgotten: the key is no more, or it is another one, made
// since.
func Unseal(keys Keys, sealed, place string, v any) error {
	hash, text, ok := strings.Cut(strings.TrimPrefix(sealed, sealMark), ":")
	if !ok || !strings.HasPrefix(sealed, sealMark) {
		return errors.New("the text is not a sealed one")
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("the sealed text is not base64: %w", err)
	}
	for _, key := range keys.Find(hash) {
		aead, err := sealer(key)
		if err != nil {
			return err
		}
		if len(b) < aead.NonceSize() {
			return errors.New("the sealed text is cut off")
		}
		if plain, err := aead.Open(nil, b[:aead.NonceSize()], b[aead.NonceSize():], []byte(place)); err == nil {
			return json.Unmarshal(plain, v)
		}
	}
	return ErrForgotten
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// The places of an event that are sealed.
const (
	placeUser     = "/user"
	placeOriginal = "/original"
)

// SealPerson makes d, of the event with that id, tell nothing in clear of the person of that name, whom it is about:
// UserID is set, and User.Person and the original are sealed. original is the delivery without its secrets, with the
// person in it: what RedactSecrets leaves. An empty name stands for a person that the delivery does not name: all such
// of one source share a key.
func SealPerson(keys Keys, eventID, name string, d *schema.Data, original *schema.Original) (err error) {
	if err := SealUser(keys, eventID, name, d); err != nil {
		return err
	}
	d.Original, err = sealOriginal(keys, original, d.UserID, eventID)
	return err
}

// SealUser does what SealPerson does, but for the original, which is sealed already.
func SealUser(keys Keys, eventID, name string, d *schema.Data) (err error) {
	d.UserID = keys.Hash(d.Provider, name)
	if d.User == nil || d.User.Person == nil {
		return nil
	}
	u := schema.User{Active: d.User.Active} // what d has may be another's too
	for _, k := range d.User.Person.Keys {
		u.Keys = append(u.Keys, schema.UserKey{Kind: k.Kind, ID: keys.Hash(d.Provider, "key\x00"+k.Kind+"\x00"+k.Value)})
	}
	u.Sealed, err = Seal(keys, d.UserID, eventID+placeUser, d.User.Person)
	d.User = &u
	return err
}

// plainHeaders say nothing of a person.
var plainHeaders = map[string]bool{"content-type": true, "user-agent": true}

// sealOriginal seals all of o but how it came, which stays in clear.
func sealOriginal(keys Keys, o *schema.Original, hash, eventID string) (*schema.Original, error) {
	sealed := &schema.Original{Method: o.Method, Headers: map[string]string{}}
	for name, value := range o.Headers {
		if plainHeaders[name] {
			sealed.Headers[name] = redact.MaskEmails(value)
		}
	}
	var err error
	sealed.Sealed, err = Seal(keys, hash, eventID+placeOriginal, o)
	return sealed, err
}

// OpenOriginal returns o as it was before it was sealed, for the event with that id; o itself if it was not.
// ErrForgotten: the person's key was destroyed.
func OpenOriginal(keys Keys, o *schema.Original, eventID string) (*schema.Original, error) {
	if o == nil || o.Sealed == "" {
		return o, nil
	}
	if keys == nil {
		return nil, ErrForgotten
	}
	opened := &schema.Original{}
	if err := Unseal(keys, o.Sealed, eventID+placeOriginal, opened); err != nil {
		return nil, err
	}
	return opened, nil
}

// OpenPerson fills in what e says of the person it is about, where their key is there still. What cannot be opened
// counts as forgotten.
func OpenPerson(keys Keys, e *schema.Event) {
	u := e.Data.User
	if u == nil || u.Sealed == "" || u.Person != nil {
		return
	}
	opened := *u
	opened.Person = &schema.Person{}
	if Unseal(keys, u.Sealed, e.ID+placeUser, opened.Person) == nil {
		e.Data.User = &opened
	}
}

// DeciderSource names the source under which the names of those who decide are hashed: "certtrail forget user web NAME"
// forgets one.
const DeciderSource = "web"

// SealDecider notes on d, of the event with that id, who decided, sealed under a key of theirs.
func SealDecider(keys Keys, eventID, name string, d *schema.Data) error {
	hash := keys.Hash(DeciderSource, name)
	sealed, err := Seal(keys, hash, eventID+placeUser, schema.Person{Name: name})
	if err != nil {
		return err
	}
	d.UserID, d.User = hash, &schema.User{Sealed: sealed}
	return nil
}
