package people

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// directory writes, reads and destroys the files of a store.
type directory struct {
	path string
	step func(what string) error // asked before each step that changes something; nil but in tests, which end the work there
}

func (d directory) before(what string) error {
	if d.step == nil {
		return nil
	}
	return d.step(what)
}

func (d directory) file(name string) string { return filepath.Join(d.path, name) }

// sealLine appends a line's checksum, which covers the file's name too: one file's content under another's name is
// damage.
//
// <text> sha256:<the first 16 digits of the SHA-256 of "<name> <text>">
func sealLine(name, text string) string {
	sum := sha256.Sum256([]byte(name + " " + text))
	return text + " sha256:" + hex.EncodeToString(sum[:8]) + "\n"
}

// keyOf reads the content of a file of that name. checked is false for one of before there were checksums: the digits
// alone.
func keyOf(name, content string) (key []byte, checked bool, err error) {
	digits := content[:min(len(content), 2*KeySize)]
	key, err = hex.DecodeString(digits)
	checked = content == sealLine(name, digits)
	switch {
	case err != nil || len(key) != KeySize || !checked && content != digits+"\n" && content != digits || hex.EncodeToString(key) != digits:
		return nil, false, errors.New("it does not hold a key with the checksum that belongs to it")
	case bytes.Count(key, key[:1]) == len(key): // what a broken file system or an interrupted overwriting leaves
		return nil, false, errors.New("it holds the same byte over and over, which is no key")
	}
	return key, checked, nil
}

// readKey reads a file; an error other than fs.ErrNotExist is a sentence that says what to do.
func (d directory) readKey(name string) (key []byte, checked bool, err error) {
	content, err := os.ReadFile(d.file(name))
	if err == nil {
		key, checked, err = keyOf(name, string(content))
	}
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return key, checked, err
	case name == secretName:
		return nil, false, fmt.Errorf("the file %s cannot be used: %w", d.file(name), err)
	}
	return nil, false, fmt.Errorf("the key file %s cannot be used: %w. What was sealed with it shows as forgotten, and new deliveries are sealed with another key: "+
		"put the file back from a copy, start certtrail again and run certtrail replay; or remove it to forget whom it is of", d.file(name), err)
}

// makeKey makes a new key in the file of that name, which is whole and durable when it returns.
func (d directory) makeKey(name string) ([]byte, error) {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	if err := d.write(name, sealLine(name, hex.EncodeToString(key))); err != nil {
		return nil, fmt.Errorf("couldn't keep a person's key: %w", err)
	}
	return key, nil
}

// replaceKey writes the key's file once more, with its checksum, and leaves nothing of the one before.
func (d directory) replaceKey(name string, key []byte) error {
	before, err := os.OpenFile(d.file(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer before.Close()
	if err := d.write(name, sealLine(name, hex.EncodeToString(key))); err != nil {
		return err
	}
	return d.wipe(before)
}

// write writes a file that is whole and durable under its name, or not there.
func (d directory) write(name, text string) (err error) {
	path := d.file(name)
	defer func() {
		if err != nil {
			d.destroy(name + newSuffix) // where that fails too, the next start does it
		}
	}()
	if err := d.before("create " + name); err != nil {
		return err
	}
	f, err := os.OpenFile(path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = d.before("write " + name)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := d.before("rename " + name); err != nil {
		return err
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return d.sync()
}

// destroy unlinks a file before it overwrites it, so that no file of zeros ever stands under its name. Where blocks are
// overwritten in place nothing is left then; where they are copied on write, they may stay on the device until they are
// used again.
func (d directory) destroy(name string) error {
	if err := d.before("unlink " + name); err != nil {
		return err
	}
	f, err := os.OpenFile(d.file(name), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return d.sync() // which may be what was cut off
	}
	if err == nil {
		defer f.Close()
	}
	if err := errors.Join(os.Remove(d.file(name)), d.sync()); err != nil {
		return err
	}
	if f == nil { // it could be unlinked though not opened, a link for example
		return nil
	}
	return d.wipe(f)
}

// wipe overwrites what an unlinked file holds.
func (d directory) wipe(f *os.File) error {
	if err := d.before("wipe " + filepath.Base(f.Name())); err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt([]byte(strings.Repeat("0", int(min(info.Size(), 4096)))), 0)
	}
	return errors.Join(err, f.Sync())
}

// overwritten reports whether a key file holds what overwriting it before it was unlinked left.
func (d directory) overwritten(name string) bool {
	content, err := os.ReadFile(d.file(name))
	return err == nil && strings.Trim(string(content), "0\x00\n") == ""
}

// sync makes the names in the directory durable.
func (d directory) sync() error {
	if err := d.before("sync"); err != nil {
		return err
	}
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
