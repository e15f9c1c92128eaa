// Package peopletest has keys of persons for tests.
package peopletest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// Keys gives keys of persons without a store: every person has one, which follows from the hash, until Destroy. It is
// the same in every test, so that events that are kept in files can be opened.
type Keys struct {
	mu        sync.Mutex
	destroyed map[string]bool
}

// Hash makes a keyed hash with a secret that everybody knows.
func (k *Keys) Hash(source, name string) string {
	return hex.EncodeToString(digest("hash", source+"\x00"+name)[:16])
}

// Find returns the key of that hash, unless it was destroyed.
func (k *Keys) Find(hash string) [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.destroyed[hash] {
		return nil
	}
	return [][]byte{digest("key", hash)}
}

// Make returns the key of that hash.
func (k *Keys) Make(hash string) ([]byte, error) { return digest("key", hash), nil }

// Destroy makes Find find no key of that hash any more.
func (k *Keys) Destroy(hash string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.destroyed == nil {
		k.destroyed = map[string]bool{}
	}
	k.destroyed[hash] = true
}

func digest(what, text string) []byte {
	mac := hmac.New(sha256.New, []byte("ingesttest "+what))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
