// Package people seals what the log says of a person under a key of theirs, which is kept outside the log: the log
// forgets nothing, so a person is forgotten by destroying their key. What was sealed with it is then gone from the
// stream, from every rebuild, and from every backup and export of the stream, because the key was in none of them.
//
// The store is a directory, mode 0700, of files, mode 0600:
//
//	secret      of the installation: what hashes of names are keyed with
//	HASH.key    the key of the person of that hash
//	HASH.2.key  another one of theirs, made while the first was damaged
//	forgetting  there while somebody is being forgotten, and while read models may still show them; it names the hashes whose keys go
//
// All keys are in memory while the store is open, and only its owner may have it open.
package people

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	secretName     = "secret"
	forgettingName = "forgetting"
	keySuffix      = ".key"
	newSuffix      = ".new" // of a file that is not whole yet
	hashSize       = 16     // bytes
)

// Store holds an open directory of keys. Its methods may be called at once from many goroutines.
type Store struct {
	dir    directory
	secret []byte

	mu      sync.RWMutex
	files   map[string][]*file // by hash, in the order of their numbers; owned by the store
	trouble map[string]error   // by the name of the file: why it is not used
	doomed  []string           // hashes whose keys are to be destroyed, which comes before one of theirs is handed out
	noted   bool               // the note names them all
	resumed []string           // hashes of a forgetting that was cut off before
	round   uint64             // how many forgettings the note stands for
	pending bool               // the note is there
}

// file holds a person's key as its file does.
type file struct {
	name string
	key  []byte // nil: the file is damaged
}

// Open opens the store in dir, and makes it if it is not there. It finishes a forgetting that was cut off. A key that
// is damaged is never used, and Damaged tells of it; without its secret the store would take everybody for somebody
// else, so a damaged secret is an error.
func Open(dir string) (*Store, error) { return openIn(directory{path: dir}) }

func openIn(dir directory) (*Store, error) {
	if err := os.MkdirAll(dir.path, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the directory of the persons' keys: %w", err)
	}
	s := &Store{dir: dir, files: map[string][]*file{}, trouble: map[string]error{}}
	old, err := s.readAll()
	if err != nil {
		return nil, err
	}
	s.resumed = s.doomed
	s.finish() // whose failure is in trouble, and what is doomed is not used
	s.addChecksums(old)
	return s, nil
}

// readAll reads the directory. It returns the names of files that have no checksum yet.
func (s *Store) readAll() (old []string, err error) {
	entries, err := os.ReadDir(s.dir.path)
	if err != nil {
		return nil, fmt.Errorf("couldn't read the persons' keys: %w", err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasSuffix(name, newSuffix): // of a crash; nothing was sealed with it, or it is there under its name
			if err := s.dir.destroy(name); err != nil {
				return nil, fmt.Errorf("couldn't clean up the persons' keys: %w", err)
			}
		case strings.HasSuffix(name, keySuffix):
			key, checked, err := s.dir.readKey(name)
			if err == nil && !checked {
				old = append(old, name)
			}
			s.add(name, key, err)
		}
	}
	if err := s.readNote(); err != nil {
		return nil, err
	}
	secret, checked, err := s.dir.readKey(secretName)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(s.files) == 0 && len(s.trouble) == 0:
		secret, err = s.dir.makeKey(secretName)
	case err == nil && !checked:
		old = append(old, secretName)
	}
	if err != nil {
		return nil, fmt.Errorf("the secret of the persons' keys is missing or damaged, and without it nobody can be told from another: put it back from a copy of the keys: %w", err)
	}
	s.secret = secret
	return old, nil
}

// add adds what was read of a file of a person's key.
func (s *Store) add(name string, key []byte, err error) {
	hash, _, _ := strings.Cut(name, ".")
	if err != nil {
		s.trouble[name] = err
	}
	s.files[hash] = append(s.files[hash], &file{name, key})
	slices.SortFunc(s.files[hash], func(a, b *file) int { return len(a.name) - len(b.name) }) // HASH.key, HASH.2.key
}

// addChecksums gives files of before there were checksums one. What cannot be written now is read without it as before.
func (s *Store) addChecksums(names []string) {
	for _, name := range names {
		key, checked, err := s.dir.readKey(name)
		if err != nil || checked { // it was destroyed since
			continue
		}
		if err := s.dir.replaceKey(name, key); err != nil {
			return
		}
	}
}

// Damaged returns what is wrong: each file that is not used because it is damaged, and a forgetting that could not be
// finished, with what to do about it.
func (s *Store) Damaged() []error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []error
	for _, name := range slices.Sorted(maps.Keys(s.trouble)) {
		list = append(list, s.trouble[name])
	}
	return list
}

// Hash names the person of that name at the source, as Keys says.
func (s *Store) Hash(source, name string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d %s %s", len(source), source, name)
	return hex.EncodeToString(mac.Sum(nil)[:hashSize])
}

// Find returns the keys of the person of that hash, the one to seal with first; none when there is none.
func (s *Store) Find(hash string) [][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if slices.Contains(s.doomed, hash) {
		return nil
	}
	var keys [][]byte
	for _, f := range s.files[hash] {
		if f.key != nil {
			keys = append(keys, bytes.Clone(f.key)) // the store's own is wiped when it is destroyed
		}
	}
	return keys
}

// Make returns the key to seal with for the person of that hash, made and durable if there was none. Beside a damaged
// one another is made, so that whoever puts the damaged one back has both.
func (s *Store) Make(hash string) ([]byte, error) {
	if keys := s.Find(hash); len(keys) > 0 {
		return keys[0], nil
	}
	if !isHash(hash) {
		return nil, fmt.Errorf("%q is not a hash of a person's name", hash)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.doomed, hash) {
		if err := s.finish(); err != nil {
			return nil, err
		}
	}
	for _, f := range s.files[hash] {
		if f.key != nil {
			return bytes.Clone(f.key), nil
		}
	}
	name := s.unused(hash)
	key, err := s.dir.makeKey(name)
	if err != nil {
		return nil, err
	}
	s.add(name, key, nil)
	return bytes.Clone(key), nil
}

// unused returns the first name for a key of the person of that hash that no file has.
func (s *Store) unused(hash string) string {
	name := hash + keySuffix
	for n := 2; slices.ContainsFunc(s.files[hash], func(f *file) bool { return f.name == name }); n++ {
		name = hash + "." + strconv.Itoa(n) + keySuffix
	}
	return name
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == hashSize
}
