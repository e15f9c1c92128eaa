package people

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var _ Keys = (*Store)(nil)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pending(s *Store) bool {
	_, pending := s.Pending()
	return pending
}

func TestKeysAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir)
	hash := s.Hash("defguard", "jdoe")
	if len(s.Find(hash)) > 0 {
		t.Fatal("there is a key that nobody made")
	}
	key, err := s.Make(hash)
	if err != nil || len(key) != KeySize {
		t.Fatalf("%x, %v", key, err)
	}
	for _, opened := range []*Store{s, open(t, dir)} {
		found := opened.Find(hash)
		if made, err := opened.Make(hash); err != nil || len(found) != 1 || !bytes.Equal(found[0], key) || !bytes.Equal(made, key) {
			t.Errorf("found %x, made %x (%v), want %x", found, made, err, key)
		}
		if h := opened.Hash("defguard", "jdoe"); h != hash {
			t.Errorf("the hash is %s, was %s", h, hash)
		}
	}
	if other := open(t, t.TempDir()).Hash("defguard", "jdoe"); other == hash {
		t.Error("another installation has the same hash")
	}
	for _, odd := range []string{"", "..", "../x", strings.ToUpper(hash) + "0", hash + "/x", "jdoe"} {
		if _, err := s.Make(odd); err == nil {
			t.Errorf("a key is made for %q", odd)
		}
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir)
	if _, err := s.Make(s.Hash("a", "b")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files != 2 {
		t.Errorf("%d files (%v), want two", files, err)
	}
}

// TestHashesTellApart: no two sources and names have the same hash, however they are cut.
func TestHashesTellApart(t *testing.T) {
	s := open(t, t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"", "a", "b", "ab", "1 a", " ", "\x00", "é"})
		a := [2]string{names.Draw(t, "source"), names.Draw(t, "name")}
		b := [2]string{names.Draw(t, "other source"), names.Draw(t, "other name")}
		ha, hb := s.Hash(a[0], a[1]), s.Hash(b[0], b[1])
		if (ha == hb) != (a == b) || !isHash(ha) {
			t.Fatalf("%q is %s, %q is %s", a, ha, b, hb)
		}
	})
}

func TestForget(t *testing.T) {
	for name, by := range map[string]func(s *Store) string{"by name": func(*Store) string { return "jdoe" }, "by hash": func(s *Store) string { return s.Hash("defguard", "jdoe") }} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			jane, nobody, john, elsewhere := s.Hash("defguard", "jdoe"), s.Hash("defguard", ""), s.Hash("defguard", "john"), s.Hash("probely", "jdoe")
			var first []byte
			for _, h := range []string{jane, nobody, john, elsewhere} {
				key, err := s.Make(h)
				if err != nil {
					t.Fatal(err)
				}
				if h == jane {
					first = bytes.Clone(key)
				}
			}
			if pending(s) {
				t.Error("somebody is said to be forgotten")
			}
			if err := s.Forget("defguard", by(s)); err != nil {
				t.Fatal(err)
			}
			for _, opened := range []*Store{s, open(t, dir)} {
				for h, want := range map[string]bool{jane: false, nobody: false, john: true, elsewhere: true} {
					if ok := len(opened.Find(h)) > 0; ok != want {
						t.Errorf("a key is there: %v, want %v", ok, want)
					}
				}
				if !pending(opened) {
					t.Error("nobody is said to be forgotten")
				}
			}
			if err := s.Forget("defguard", by(s)); !errors.Is(err, ErrUnknown) {
				t.Errorf("forgotten once more: %v", err)
			}
			if again, err := s.Make(jane); err != nil || bytes.Equal(again, first) {
				t.Errorf("the key that is made next is the same (%v)", err)
			}
			round, _ := s.Pending()
			if err := s.Settled(round - 1); err != nil || !pending(s) {
				t.Errorf("what was built before is settled by it: %v", err)
			}
			if err := errors.Join(s.Settled(round), s.Settled(round)); err != nil || pending(s) || pending(open(t, dir)) {
				t.Errorf("settled: %v, pending %v", err, pending(s))
			}
		})
	}
}

func TestForgetNobody(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "jdoe", "..", "secret"} {
		if err := s.Forget("defguard", name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if pending(s) {
		t.Error("somebody is said to be forgotten")
	}
}

// TestCrashes: what a crash leaves while a key is made is no key, and goes.
func TestCrashes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	hash := s.Hash("a", "b")
	if err := os.WriteFile(filepath.Join(dir, hash+keySuffix+newSuffix), []byte("0123"), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(open(t, dir).Find(hash)) > 0 {
		t.Error("half a key is one")
	}
	if _, err := s.Make(hash); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, secretName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a secret is made beside keys whose hashes had another")
	}
}

func TestAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	hash := s.Hash("a", "b")
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := s.Make(hash)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
			s.Find(hash)
		})
	}
	wg.Wait()
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) {
			t.Fatal("one person has two keys")
		}
	}
}
