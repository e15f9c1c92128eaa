package people

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// errCut ends the work at a step, as a crash does: nothing is done after it.
var errCut = errors.New("cut off")

// cutAfter makes a directory whose steps fail from the one with that number on; left counts down to it.
func cutAfter(dir string, left *int) directory {
	return directory{path: dir, step: func(string) error {
		if *left--; *left < 0 {
			return errCut
		}
		return nil
	}}
}

// people makes the keys of some people of one source, and of another's, in a new directory.
func people(t *testing.T) (dir string, keys map[string][]byte, jane, nobody string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir)
	jane, nobody = s.Hash("defguard", "jdoe"), s.Hash("defguard", "")
	keys = map[string][]byte{}
	for _, h := range []string{jane, nobody, s.Hash("defguard", "john"), s.Hash("probely", "")} {
		key, err := s.Make(h)
		if err != nil {
			t.Fatal(err)
		}
		keys[h] = key
	}
	return dir, keys, jane, nobody
}

// TestForgettingIsFinished cuts a forgetting off at every step, and the next start at every step of its own: the person
// is known or, once their key can be gone, forgotten whole; nobody else is touched, and no key is handed out that is to
// be destroyed.
func TestForgettingIsFinished(t *testing.T) {
	finished := false
	for steps := 0; !finished; steps++ {
		for resumed := 0; ; resumed++ {
			dir, keys, jane, nobody := people(t)
			left := steps
			s, err := openIn(cutAfter(dir, &left))
			if err != nil {
				t.Fatal(err)
			}
			finished = s.Forget("defguard", "jdoe") == nil
			if s.Find(jane) != nil {
				t.Fatalf("after %d steps the key is handed out", steps)
			}
			left = resumed
			_, err = openIn(cutAfter(dir, &left))
			whole := err == nil && left >= 0
			s = open(t, dir)
			checkForgotten(t, fmt.Sprintf("after %d steps and %d of the next start", steps, resumed), s, keys, jane, nobody)
			if finished && !pending(s) {
				t.Fatal("the read models are not going to be rebuilt")
			}
			if whole {
				break
			}
		}
	}
}

// checkForgotten makes sure that jane and nobody are there both or neither, and everybody else is.
func checkForgotten(t *testing.T, when string, s *Store, keys map[string][]byte, jane, nobody string) {
	t.Helper()
	gone := len(s.Find(jane)) == 0
	if gone != (len(s.Find(nobody)) == 0) || gone && !pending(s) || len(s.Damaged()) > 0 {
		t.Fatalf("%s jane's key is gone: %v, her source's: %v; pending %v, damaged %v", when, gone, len(s.Find(nobody)) == 0, pending(s), s.Damaged())
	}
	for h, key := range keys {
		if found := s.Find(h); !gone || h != jane && h != nobody {
			if len(found) != 1 || !bytes.Equal(found[0], key) {
				t.Fatalf("%s somebody has the keys %x, want %x", when, found, key)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(s.dir.path, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if b, err := os.ReadFile(path); err != nil || strings.HasSuffix(path, newSuffix) || bytes.Contains(b, bytes.Repeat([]byte("0"), 64)) {
			t.Fatalf("%s there is %s: %q %v", when, path, b, err)
		}
	}
}

// TestForgettingGoesOn: a forgetting that failed at some step is finished by the next one, and by whoever makes a key
// of the same person.
func TestForgettingGoesOn(t *testing.T) {
	for name, again := range map[string]func(s *Store, jane string) error{
		"forget": func(s *Store, _ string) error { return s.Forget("defguard", "jdoe") },
		"make":   func(s *Store, jane string) error { _, err := s.Make(jane); return err },
	} {
		t.Run(name, func(t *testing.T) {
			for steps := 0; ; steps++ {
				dir, keys, jane, nobody := people(t)
				left := steps
				s, err := openIn(cutAfter(dir, &left))
				if err != nil {
					t.Fatal(err)
				}
				if s.Forget("defguard", "jdoe") == nil {
					return
				}
				if left = 0; again(s, jane) == nil || s.Find(jane) != nil {
					t.Fatal("a key is made while another is still to be destroyed")
				}
				left = 1000
				if err := again(s, jane); err != nil {
					t.Fatalf("after %d steps: %v", steps, err)
				}
				if found := s.Find(jane); len(found) > 0 && bytes.Equal(found[0], keys[jane]) || s.Find(nobody) != nil || len(s.Damaged()) > 0 {
					t.Fatalf("after %d steps jane has the keys %x, and her source %x", steps, found, s.Find(nobody))
				}
				made := s.Find(jane)
				if reopened := open(t, dir); len(reopened.Find(jane)) != len(made) || !pending(reopened) {
					t.Fatalf("the next start takes %d of %d keys made since", len(made)-len(reopened.Find(jane)), len(made))
				}
			}
		})
	}
}

// TestForgottenByTheStart: who forgets somebody once more whose forgetting a start has finished is not told that
// nothing is known of them.
func TestForgottenByTheStart(t *testing.T) {
	dir, _, jane, nobody := people(t)
	if err := os.WriteFile(filepath.Join(dir, forgettingName), []byte(sealLine(forgettingName, jane+" "+nobody)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if s.Find(jane) != nil || s.Find(nobody) != nil || !pending(s) {
		t.Error("the start does not finish it")
	}
	if err := s.Forget("defguard", "jdoe"); err != nil {
		t.Error(err)
	}
	round, _ := s.Pending()
	if err := s.Settled(round); err != nil {
		t.Error(err)
	}
	if err := s.Forget("defguard", "jdoe"); !errors.Is(err, ErrUnknown) {
		t.Errorf("after it was settled: %v", err)
	}
}

// TestOverwrittenKeys: a key that was overwritten under its name is destroyed where a note says that somebody was being
// forgotten, and damage elsewhere.
func TestOverwrittenKeys(t *testing.T) {
	for name, content := range map[string]string{"zeros": strings.Repeat("0", 64) + "\n", "nothing": "", "a hole": strings.Repeat("\x00", 65)} {
		for _, noted := range []bool{true, false} {
			dir, keys, jane, nobody := people(t)
			if err := os.WriteFile(filepath.Join(dir, jane+keySuffix), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if noted {
				if err := os.WriteFile(filepath.Join(dir, forgettingName), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, dir)
			if found := s.Find(jane); len(found) > 0 || pending(s) != noted || len(s.Damaged()) > 0 == noted {
				t.Errorf("%s, noted %v: keys %x, pending %v, damaged %v", name, noted, found, pending(s), s.Damaged())
			}
			if found := s.Find(nobody); !bytes.Equal(found[0], keys[nobody]) {
				t.Error("the source's key is gone")
			}
		}
	}
}

// TestEveryFlip flips each bit of each file: none is taken for another key, person or forgetting, and each is said.
func TestEveryFlip(t *testing.T) {
	dir, keys, jane, nobody := people(t)
	if err := os.WriteFile(filepath.Join(dir, forgettingName), []byte(sealLine(forgettingName, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{jane + keySuffix, secretName, forgettingName} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(whole) {
			flipped := bytes.Clone(whole)
			flipped[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if name == secretName {
				if err == nil || !strings.Contains(err.Error(), path) {
					t.Fatalf("bit %d of the secret: %v", bit, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if list := s.Damaged(); len(list) != 1 || !strings.Contains(list[0].Error(), path) {
				t.Fatalf("of bit %d of %s is said: %v", bit, name, list)
			}
			if found := s.Find(jane); len(found) > 0 && !bytes.Equal(found[0], keys[jane]) || len(found) > 0 == (name == jane+keySuffix) || s.Find(nobody) == nil {
				t.Fatalf("bit %d of %s: jane has the keys %x", bit, name, found)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamagedKeyIsPutBack: while a key is damaged another is sealed with, beside it; once it is back both open, and a
// forgetting destroys both.
func TestDamagedKeyIsPutBack(t *testing.T) {
	dir, keys, jane, _ := people(t)
	path := filepath.Join(dir, jane+keySuffix)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(whole, []byte(" "), nil, 1)
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	meanwhile, err := s.Make(jane)
	if err != nil || bytes.Equal(meanwhile, keys[jane]) || len(s.Damaged()) != 1 {
		t.Fatalf("%x, %v, damaged %v", meanwhile, err, s.Damaged())
	}
	for range 2 {
		s = open(t, dir)
		if again, err := s.Make(jane); err != nil || !bytes.Equal(again, meanwhile) || len(s.Damaged()) != 1 {
			t.Errorf("%x, %v, want the key that stood in; damaged %v", again, err, s.Damaged())
		}
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, damaged) {
		t.Errorf("the damaged file is not left as it is: %q, %v", b, err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	found := s.Find(jane)
	if len(found) != 2 || !bytes.Equal(found[0], keys[jane]) || !bytes.Equal(found[1], meanwhile) || len(s.Damaged()) > 0 {
		t.Fatalf("put back there are the keys %x, damaged %v", found, s.Damaged())
	}
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if err := s.Forget("defguard", "jdoe"); err != nil || s.Find(jane) != nil || len(s.Damaged()) > 0 {
		t.Errorf("forgotten: %v, keys %x, damaged %v", err, s.Find(jane), s.Damaged())
	}
	if left, err := filepath.Glob(filepath.Join(dir, jane+"*")); err != nil || len(left) > 0 {
		t.Errorf("there is left %q (%v)", left, err)
	}
}

// TestFilesWithoutChecksum reads such files and sees each given a checksum at the next start, wherever the start before
// was cut off.
func TestFilesWithoutChecksum(t *testing.T) {
	for steps := 0; ; steps++ {
		dir, keys, jane, nobody := people(t)
		for _, name := range []string{jane + keySuffix, secretName} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), append(b[:2*KeySize], '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		left := steps
		if _, err := openIn(cutAfter(dir, &left)); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		if s.Hash("defguard", "jdoe") != jane {
			t.Fatalf("after %d steps the secret is another", steps)
		}
		checkForgotten(t, fmt.Sprintf("after %d steps", steps), s, keys, jane, nobody)
		for _, name := range []string{jane + keySuffix, secretName} {
			if _, checked, err := s.dir.readKey(name); err != nil || !checked {
				t.Fatalf("after %d steps %s has no checksum: %v", steps, name, err)
			}
		}
		if left >= 0 {
			return
		}
	}
}

// TestUnlinkedBeforeOverwritten: no crash can leave a key file of zeros, for its name is gone, durably, before it is
// overwritten.
func TestUnlinkedBeforeOverwritten(t *testing.T) {
	dir, _, jane, _ := people(t)
	var steps []string
	s, err := openIn(directory{path: dir, step: func(what string) error { steps = append(steps, what); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Forget("defguard", "jdoe"); err != nil {
		t.Fatal(err)
	}
	file := jane + keySuffix
	if got, want := strings.Join(steps, ", "), "rename forgetting, sync, unlink "+file+", sync, wipe "+file; !strings.Contains(got, want) {
		t.Errorf("the steps are %s\nwant among them %s", got, want)
	}
}
