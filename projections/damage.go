package projections

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

var (
	// errDamaged says that the file of the generation in use is not what was written to it.
	errDamaged = errors.New("the file of the read models is damaged")

	// errUnreadable says that a row does not hold what such a row can.
	errUnreadable = errors.New("a row of the read models cannot be read")
)

// isDamage reports whether the file itself is known to be no good: garbage, cut off, gone, unreadable on its disk, or
// emptied, in which case it misses the tables. That a file cannot be opened or read for the moment, for want of
// descriptors or room, says nothing of it.
func isDamage(err error, path string) bool {
	if errors.Is(err, errDamaged) {
		return true
	}
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return true
	case sqlite3.ErrIoErr:
		return e.ExtendedCode == sqlite3.ErrIoErrShortRead || e.ExtendedCode == sqlite3.ErrIoErrRead
	case sqlite3.ErrCantOpen:
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	return strings.HasPrefix(e.Error(), "no such table: ")
}

// isConflict reports whether a row could not be written because there is one already that was not found.
func isConflict(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrConstraint
}

// isUnreadable reports whether a row is there and holds what such a row cannot: text where a number belongs, JSON that
// is none, a row that only an index has. database/sql has no error of its own for it, only words.
func isUnreadable(err error) bool {
	return errors.Is(err, errUnreadable) || err != nil && strings.Contains(err.Error(), "sql: Scan error on column")
}

// judge makes of a reading's error what whoever asked is told: of a file that is no good that it is being rebuilt,
// because it will be at once.
func (s *Store) judge(f *file, err error) error {
	damaged := isDamage(err, f.path)
	switch {
	case !damaged && !isUnreadable(err):
		return err
	case s.log == nil:
		return fmt.Errorf("the database %s is damaged: %w", f.path, err)
	case damaged:
		select {
		case f.damaged <- struct{}{}:
		default:
		}
	case !s.suspect(f, err):
		return err
	}
	return fmt.Errorf("%w: %w", ErrRebuilding, err)
}
