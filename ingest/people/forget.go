package people

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// ErrUnknown says that there is no key of the person: nothing was ever said of them, or they were forgotten already.
var ErrUnknown = errors.New("there is no key of that person: nothing was said of them, or they were forgotten already")

// Forget destroys the key of a person of the source, by their name or id there or by the hash that certtrail calls
// them, and the key of what the source said without saying whom of, which may be of them too. From when it returns nil,
// nobody can open what was sealed with it. It is ErrUnknown where the person has no key. One that returned another
// error is finished by the next, or by the next Open.
//
// Read models hold what was opened before. Pending is true until Settled is called, after they have been rebuilt.
func (s *Store) Forget(source, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := s.Hash(source, name)
	switch {
	case s.knows(hash):
	case s.knows(name):
		hash = name
	case s.pending && (slices.Contains(s.resumed, hash) || slices.Contains(s.resumed, name)):
		return nil // Open has done it, and the read models are still to be built
	default:
		return ErrUnknown
	}
	for _, h := range []string{hash, s.Hash(source, "")} {
		if s.knows(h) && !slices.Contains(s.doomed, h) {
			s.doomed, s.noted = append(s.doomed, h), false
		}
	}
	s.round++
	return s.finish()
}

// knows reports whether there is a key of that hash, good or damaged, or one that is about to be destroyed.
func (s *Store) knows(hash string) bool {
	return len(s.files[hash]) > 0 || slices.Contains(s.doomed, hash)
}

// finish destroys the keys of all hashes that the note names, and then names them no more, since the same people may
// come again. The note stays.
func (s *Store) finish() (err error) {
	if len(s.doomed) == 0 {
		return nil
	}
	defer func() {
		delete(s.trouble, forgettingName)
		if err != nil {
			err = fmt.Errorf("a person's key could not be destroyed: %w. It is not used any more; when that is mended, start certtrail again or forget them once more", err)
			s.trouble[forgettingName] = err
		}
	}()
	// COMMIT F. Once the note is durable, the keys it names are destroyed, now or at the next start. A crash before it
	// leaves the person known, and the order to forget them unanswered.
	if !s.noted {
		if err := s.writeNote(s.doomed); err != nil {
			return err
		}
		s.noted = true
	}
	for _, hash := range s.doomed {
		for _, f := range s.files[hash] {
			if err := s.dir.destroy(f.name); err != nil {
				return err
			}
			clear(f.key)
			delete(s.trouble, f.name)
		}
		delete(s.files, hash)
	}
	if err := s.dir.sync(); err != nil { // a crash may have left an unlinking that is not durable
		return err
	}
	if err := s.writeNote(nil); err != nil {
		return err
	}
	s.doomed = nil
	return nil
}

// writeNote writes which hashes are to be destroyed. An empty one says that read models are to be rebuilt.
func (s *Store) writeNote(hashes []string) error {
	if err := s.dir.write(forgettingName, sealLine(forgettingName, strings.Join(hashes, " "))); err != nil {
		return err
	}
	s.pending = true
	return nil
}

// readNote reads what a crash left of a forgetting.
func (s *Store) readNote() error {
	content, err := os.ReadFile(s.dir.file(forgettingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("couldn't read who is to be forgotten: %w", err)
	}
	s.pending, s.round = true, 1
	text, _, _ := strings.Cut(string(content), " sha256:")
	switch {
	case len(content) == 0: // of before the note named anybody; that overwrote keys before it unlinked them
		for hash, files := range s.files {
			if slices.ContainsFunc(files, func(f *file) bool { return s.dir.overwritten(f.name) }) {
				s.doomed = append(s.doomed, hash)
			}
		}
	case string(content) != sealLine(forgettingName, text):
		s.trouble[forgettingName] = fmt.Errorf("the file %s is damaged, so it cannot tell who was being forgotten: forget them once more, or remove it if that was nobody",
			s.dir.file(forgettingName))
	default:
		s.doomed, s.noted = strings.Fields(text), true
	}
	return nil
}

// Pending reports whether somebody was forgotten since read models were last rebuilt, and the number to settle that
// with.
func (s *Store) Pending() (round uint64, pending bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.round, s.pending
}

// Settled records that read models that were begun after Pending returned that round have replaced those before. It
// changes nothing if somebody was forgotten since, or is not forgotten yet.
func (s *Store) Settled(round uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if round != s.round || !s.pending || len(s.doomed) > 0 || s.trouble[forgettingName] != nil {
		return nil
	}
	err := s.dir.before("settle")
	if err == nil {
		err = os.Remove(s.dir.file(forgettingName))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("couldn't note that nobody forgotten is shown any more: %w", err)
	}
	s.pending = false
	return nil
}
