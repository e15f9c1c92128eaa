package projections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema/durable"
)

//go:embed *.sql
var ddl embed.FS

// generation names one building of the read models from the log: a SQLite file of that name. Other tables or other
// folds are another file, never a migration.
type generation struct {
	tables    string // hash of the tables and indexes
	folds     int    // lifecycle.Version
	number    int    // grows
	redecoded bool   // its events were derived again from their deliveries
}

var generationName = regexp.MustCompile(`^([0-9a-f]{12})-f(\d+)-(\d+)(-redecoded)?\.db$`)

// String returns the file's name: 3f1c0a9be512-f1-7.db, or 3f1c0a9be512-f1-7-redecoded.db.
func (g generation) String() string {
	suffix := ""
	if g.redecoded {
		suffix = "-redecoded"
	}
	return fmt.Sprintf("%s-f%d-%d%s.db", g.tables, g.folds, g.number, suffix)
}

func parseGeneration(name string) (g generation, ok bool) {
	m := generationName.FindStringSubmatch(name)
	if m == nil {
		return g, false
	}
	var errs [2]error
	g.tables, g.redecoded = m[1], m[4] != ""
	g.folds, errs[0] = strconv.Atoi(m[2])
	g.number, errs[1] = strconv.Atoi(m[3])
	return g, errors.Join(errs[:]...) == nil
}

// readable reports whether this program's queries fit the tables.
func (g generation) readable() bool { return g.tables == tablesHash() }

// fresh reports whether it was built as this program would build it.
func (g generation) fresh() bool { return g.readable() && g.folds == lifecycle.Version }

// file reads a generation.
type file struct {
	generation
	path    string
	readers *sql.DB // mode=ro: a file that is gone is an error, not an empty database
	reading sync.WaitGroup
	damaged chan struct{} // holds one when a reader found the file damaged
	retired chan struct{} // closed when nobody reads it any more, and it is removed if it is to be
}

// currentName names the file that holds the name of the generation in use.
const currentName = "current"

// asideSuffix ends the name of a database that is built to be compared or given away, never to be read from here. It
// does not outlive the process.
const asideSuffix = ".aside"

// tables returns the DDL of every table, indexes that of every index, and of what keeps one table in step with another,
// statement by statement.
func tables() string {
	var b strings.Builder
	b.WriteString(texts(func(name string) bool { return !strings.HasSuffix(name, ".indexes.sql") }))
	for _, m := range models {
		b.WriteString(m.tables())
	}
	return b.String()
}

func indexes() []string {
	text := texts(func(name string) bool { return strings.HasSuffix(name, ".indexes.sql") })
	begins := statementBegin.FindAllStringIndex(text, -1)
	list := make([]string, len(begins))
	for i, at := range begins {
		from, to := at[0], len(text)
		if i == 0 {
			from = 0
		}
		if i < len(begins)-1 {
			to = begins[i+1][0]
		}
		list[i] = text[from:to]
	}
	return list
}

// statementBegin matches where a statement of an index begins: what is within a trigger stands further to the right.
var statementBegin = regexp.MustCompile(`(?m)^CREATE `)

func texts(keep func(string) bool) string {
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

// tablesHash names the tables and indexes of this program.
func tablesHash() string {
	sum := sha256.Sum256([]byte(tables() + strings.Join(indexes(), "")))
	return hex.EncodeToString(sum[:6])
}

func dsn(path, options string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + options
}

// create makes an empty database at path, with its tables and, unless they come last, its indexes.
func create(ctx context.Context, path, options string, withIndexes bool) error {
	db, err := sql.Open("sqlite3", dsn(path, options))
	if err != nil {
		return err
	}
	defer db.Close()
	text := tables() + fmt.Sprintf("INSERT INTO cursor VALUES (1, 0, '', ''); PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, tablesNumber())
	if withIndexes {
		text += strings.Join(indexes(), "")
	}
	if _, err := db.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("couldn't make the tables of the read models: %w", err)
	}
	return nil
}

// applicationID marks a SQLite file as certtrail's read models.
const applicationID = 0x63747472 // "cttr"

// tablesNumber returns tablesHash as the number that fits SQLite's user_version, so that a file that went elsewhere
// still tells which tables it has.
func tablesNumber() int32 {
	sum := sha256.Sum256([]byte(tables() + strings.Join(indexes(), "")))
	return int32(binary.BigEndian.Uint32(sum[:4]) >> 1)
}

// openFile opens the readers of a generation.
func openFile(path string) (*file, error) {
	g, _ := parseGeneration(filepath.Base(path))
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
	return &file{generation: g, path: path, readers: db, damaged: make(chan struct{}, 1), retired: make(chan struct{})}, nil
}

// readCurrent returns the generation in use, whether or not its file is there; ok is false when none was ever, or when
// what says so is unreadable.
func readCurrent(dir string) (g generation, ok bool, err error) {
	name, err := os.ReadFile(filepath.Join(dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return g, false, nil
	}
	if err != nil {
		return g, false, err
	}
	g, ok = parseGeneration(strings.TrimSpace(string(name)))
	return g, ok, nil
}

// writeCurrent makes path the generation in use. A crash leaves either the old name or the new; it is the new for sure
// once the directory is synced.
func writeCurrent(path string) error {
	return durable.Replace(filepath.Join(filepath.Dir(path), currentName), []byte(filepath.Base(path)+"\n"), 0o666)
}

// besides end the names of what SQLite keeps beside a database; the first is its own.
var besides = []string{"", "-wal", "-shm", "-journal"}

// removeOthers deletes every generation but keep, and what was built aside, with what SQLite keeps beside them.
func removeOthers(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(e.Name(), "-wal"), "-shm"), "-journal")
		if _, is := parseGeneration(name); name == keep || !is && !strings.HasSuffix(name, asideSuffix) {
			continue
		}
		if e := os.Remove(filepath.Join(dir, e.Name())); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// syncFile makes durable what SQLite has written to the database at path without syncing.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
