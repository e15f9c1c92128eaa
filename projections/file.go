package projections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

//go:embed *.sql
var ddl embed.FS

// file is one generation of the read models: a SQLite database built from the log by one version of the folds. Its name is
// <hash>-<generation>.db, where the hash is of the tables and the folds: another hash is another file, never a migration.
type file struct {
	path    string
	readers *sql.DB // mode=ro: a file that is gone is an error, not an empty database
}

// currentName is the file that holds the name of the generation in use.
const currentName = "current"

// tables is the DDL of every table, indexes that of every index.
func tables() string {
	return statements(func(name string) bool { return !strings.HasSuffix(name, ".indexes.sql") })
}
func indexes() string {
	return statements(func(name string) bool { return strings.HasSuffix(name, ".indexes.sql") })
}

func statements(keep func(string) bool) string {
	entries, err := ddl.ReadDir(".")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	var b strings.Builder
	for _, e := range entries {
		if keep(e.Name()) {
			text, err := ddl.ReadFile(e.Name())
			if err != nil {
				panic(err)
			}
			b.Write(text)
		}
	}
	return b.String()
}

// Hash names what the read models are made of: their tables and the version of the folds.
func Hash() string {
	sum := sha256.Sum256([]byte(tables() + indexes() + strconv.Itoa(lifecycle.Version)))
	return hex.EncodeToString(sum[:6])
}

func dsn(path, options string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + options
}

// createFile makes an empty generation that the writer can fill.
func createFile(ctx context.Context, dir string) (string, error) {
	path, err := nextPath(dir)
	if err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite3", dsn(path, "_journal_mode=WAL&_synchronous=NORMAL"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, tables()+indexes()+"INSERT INTO cursor VALUES (1, 0, '');"); err != nil {
		return "", fmt.Errorf("couldn't make the tables of the read models: %w", err)
	}
	return path, nil
}

// nextPath is the path of a generation that has never been.
func nextPath(dir string) (string, error) {
	names, err := generations(dir)
	if err != nil {
		return "", err
	}
	highest := 0
	for _, name := range names {
		if _, number, ok := strings.Cut(strings.TrimSuffix(name, ".db"), "-"); ok {
			if n, err := strconv.Atoi(number); err == nil {
				highest = max(highest, n)
			}
		}
	}
	return filepath.Join(dir, fmt.Sprintf("%s-%d.db", Hash(), highest+1)), nil
}

func generations(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*-*.db"))
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	sort.Strings(names)
	return names, err
}

// openFile opens the readers of a generation.
func openFile(path string) (*file, error) {
	db, err := sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_busy_timeout=5000"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, err
	}
	return &file{path: path, readers: db}, nil
}

// readCurrent is the generation in use, "" if there is none that this program can read.
func readCurrent(dir string) (string, error) {
	name, err := os.ReadFile(filepath.Join(dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	base := strings.TrimSpace(string(name))
	if !strings.HasPrefix(base, Hash()+"-") || filepath.Base(base) != base {
		return "", nil
	}
	path := filepath.Join(dir, base)
	if _, err := os.Stat(path); err != nil {
		return "", nil
	}
	return path, nil
}

// writeCurrent makes path the generation in use. A crash leaves either the old name or the new, and both files are whole.
func writeCurrent(path string) error {
	dir := filepath.Dir(path)
	next := filepath.Join(dir, currentName+".next")
	f, err := os.Create(next)
	if err != nil {
		return err
	}
	_, err = f.WriteString(filepath.Base(path) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(next, filepath.Join(dir, currentName))
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeOthers deletes every generation but path, with what SQLite keeps beside it.
func removeOthers(path string) error {
	dir := filepath.Dir(path)
	names, err := generations(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == filepath.Base(path) {
			continue
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if e := os.Remove(filepath.Join(dir, name+suffix)); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// isDamage tells whether SQLite says that the file itself is no good.
func isDamage(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB || e.Code == sqlite3.ErrCantOpen || e.Code == sqlite3.ErrIoErr)
}
