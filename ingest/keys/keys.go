// Package keys keeps a key for each person whom the log tells of, outside the log: the log forgets nothing, so a person is forgotten by destroying
// their key. What was sealed with it is then gone from the stream, from every rebuild, and from every backup and export of the stream, because the key
// was in none of them.
//
// The store is a directory, mode 0700, of files, mode 0600:
//
//	secret      of the installation: what hashes of names are keyed with
//	HASH.key    the key of the person of that hash
//	forgetting  there while read models may still show somebody who was forgotten
//
// All keys are in memory while the store is open, and only its owner may have it open.
package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

const (
	secretName     = "secret"
	forgettingName = "forgetting"
	keySuffix      = ".key"
	newSuffix      = ".new" // of a file that is not whole yet
	hashSize       = 16     // bytes
)

// Store is an open directory of keys. Its methods may be called at once from many goroutines.
type Store struct {
	dir    string
	secret []byte

	mu   sync.RWMutex
	keys map[string][]byte // by hash; owned by the store
}

// Open opens the store in dir, and makes it if it is not there. A file that is damaged is an error: to go on without it would make a person look forgotten.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the directory of the persons' keys: %w", err)
	}
	s := &Store{dir: dir, keys: map[string][]byte{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("couldn't read the persons' keys: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, newSuffix) { // of a crash; nothing was sealed with it
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return nil, fmt.Errorf("couldn't clean up the persons' keys: %w", err)
			}
			continue
		}
		if hash, ok := strings.CutSuffix(name, keySuffix); ok {
			if s.keys[hash], err = s.read(name); err != nil {
				return nil, err
			}
		}
	}
	s.secret, err = s.read(secretName)
	if errors.Is(err, fs.ErrNotExist) && len(s.keys) == 0 {
		s.secret, err = s.create(secretName)
	}
	return s, err
}

func (s *Store) read(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return nil, fmt.Errorf("couldn't read the persons' keys: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(key) != schema.KeySize {
		return nil, fmt.Errorf("the file %s is damaged: it does not hold %d bytes in hex; put it back from a copy, or remove it to forget whom it is of", filepath.Join(s.dir, name), schema.KeySize)
	}
	return key, nil
}

// create makes a new key in the file of that name, which is whole and durable when it returns.
func (s *Store) create(name string) ([]byte, error) {
	key := make([]byte, schema.KeySize)
	rand.Read(key) // never fails
	if err := s.write(name, hex.EncodeToString(key)+"\n"); err != nil {
		return nil, fmt.Errorf("couldn't keep a person's key: %w", err)
	}
	return key, nil
}

func (s *Store) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	f, err := os.OpenFile(path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// Hash names the person of that name at the source, as schema.Keys says.
func (s *Store) Hash(source, name string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d %s %s", len(source), source, name)
	return hex.EncodeToString(mac.Sum(nil)[:hashSize])
}

// Find is the key of the person of that hash; ok is false when there is none.
func (s *Store) Find(hash string) (key []byte, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key, ok = s.keys[hash]
	return bytes.Clone(key), ok // the store's own is wiped when it is destroyed
}

// Make is the key of the person of that hash, made and durable if there was none.
func (s *Store) Make(hash string) ([]byte, error) {
	if key, ok := s.Find(hash); ok {
		return key, nil
	}
	if !isHash(hash) {
		return nil, fmt.Errorf("%q is not a hash of a person's name", hash)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.keys[hash]; ok {
		return bytes.Clone(key), nil
	}
	key, err := s.create(hash + keySuffix)
	if err != nil {
		return nil, err
	}
	s.keys[hash] = key
	return bytes.Clone(key), nil
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == hashSize
}

// ErrUnknown says that there is no key of the person: nothing was ever said of them, or they were forgotten already.
var ErrUnknown = errors.New("there is no key of that person: nothing was said of them, or they were forgotten already")

// Forget destroys the key of a person of the source, by their name or id there or by the hash that certtrail calls them, and the key of what the
// source said without saying whom of, which may be of them too. From when it returns nil, nobody can open what was sealed with it. It is ErrUnknown
// where the person has no key.
//
// Read models hold what was opened before. Pending is true until Settled is called, after they have been built anew.
func (s *Store) Forget(source, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := s.Hash(source, name)
	if _, ok := s.keys[hash]; !ok {
		hash = name
	}
	if _, ok := s.keys[hash]; !ok {
		return ErrUnknown
	}
	if err := s.write(forgettingName, ""); err != nil {
		return fmt.Errorf("couldn't note that a person is forgotten: %w", err)
	}
	// COMMIT F. The key is gone once its file is unlinked and the directory synced. A crash before it leaves the person known, and the order to forget
	// them unanswered; a crash after it leaves the note, for which the next start builds the read models anew.
	for _, h := range []string{hash, s.Hash(source, "")} {
		if err := s.destroy(h); err != nil {
			return fmt.Errorf("couldn't destroy a person's key: %w", err)
		}
	}
	return nil
}

// destroy overwrites the key before it is unlinked, which on many file systems leaves it nowhere; where blocks are copied on write, it may stay on the
// device until they are used again.
func (s *Store) destroy(hash string) error {
	if _, ok := s.keys[hash]; !ok {
		return nil
	}
	path := filepath.Join(s.dir, hash+keySuffix)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Repeat("0", 2*schema.KeySize))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	clear(s.keys[hash])
	delete(s.keys, hash)
	return nil
}

// Pending tells whether somebody was forgotten since read models were last built anew.
func (s *Store) Pending() bool {
	_, err := os.Lstat(filepath.Join(s.dir, forgettingName))
	return err == nil
}

// Settled is called once read models that were begun after the last Forget have taken the place of those before.
func (s *Store) Settled() error {
	err := os.Remove(filepath.Join(s.dir, forgettingName))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("couldn't note that nobody forgotten is shown any more: %w", err)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
