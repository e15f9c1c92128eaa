package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// differencesShown bounds how many differences a verification names; all are counted.
const differencesShown = 20

// Verification reports how the read models in use compare with ones just built from the log.
type Verification struct {
	Seq         uint64        `json:"seq"`                 // the last event both hold
	Redecoded   bool          `json:"redecoded,omitempty"` // both derive events again from their original deliveries
	Tables      []TableDigest `json:"tables"`
	Differing   int           `json:"differing"`             // rows that are not the same
	Differences []Difference  `json:"differences,omitempty"` // the first of them
	Gone        schema.Gaps   `json:"gone,omitempty"`        // what those in use hold, and the rebuilt ones do not: it is gone from the log
}

// TableDigest compares one table of both: SHA-256 over its rows in the order of their keys.
type TableDigest struct {
	Table   string `json:"table"`
	Rows    int    `json:"rows"`
	SHA256  string `json:"sha256"`            // of the one in use
	Rebuilt string `json:"rebuilt,omitempty"` // of the rebuilt one, where it is another
}

// Difference names one row that is not the same, or one column of it.
type Difference struct {
	Table   string `json:"table"`
	Key     string `json:"key"`              // "digicert 12345"
	Column  string `json:"column,omitempty"` // "" when one of them lacks the row
	Live    string `json:"live"`
	Rebuilt string `json:"rebuilt"`
}

// location says where the difference is, without what stands there: that may be a person's.
func (d Difference) location() string {
	if d.Key == "" {
		return d.Live
	}
	return strings.TrimRight(d.Table+" "+d.Column, " ")
}

// String puts the difference into a sentence.
func (d Difference) String() string {
	switch {
	case d.Key == "":
		return d.Table + ": " + d.Live
	case d.Column != "":
		return fmt.Sprintf("%s %s: %s is %q, and %q when rebuilt", d.Table, d.Key, d.Column, d.Live, d.Rebuilt)
	case d.Live == "":
		return fmt.Sprintf("%s %s: the row is missing", d.Table, d.Key)
	}
	return fmt.Sprintf("%s %s: the row is not there when rebuilt", d.Table, d.Key)
}

// Verify builds the read models aside and compares every row of every table with those in use, as of the same event.
// Reading and folding go on, but for the moment at which both stand at that event.
func (s *Store) Verify(ctx context.Context, report func(Progress)) (v *Verification, err error) {
	current, reason := s.inUse()
	switch {
	case current == nil:
		return nil, fmt.Errorf("there are no read models to compare, because %s; certtrail replay builds them, and so does a server", reason)
	case reason != "":
		return nil, fmt.Errorf("the read models in use must be rebuilt, because %s; certtrail replay does it, and so does a server", reason)
	}
	ctx, leave, err := s.building.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	to, eventID, err := s.cursor(ctx)
	if err == nil {
		err = s.checkCursor(ctx, to, eventID)
	}
	if err != nil {
		return nil, fmt.Errorf("the read models in use are not of this log: certtrail replay rebuilds them: %w", err)
	}
	b := s.newBuild(filepath.Join(s.o.Dir, "verify"+asideSuffix), current.redecoded, "it is compared with the read models in use", report)
	removeDatabase(b.path)
	defer removeDatabase(b.path)
	defer b.end()
	if err := b.load(ctx, to); err != nil {
		return nil, err
	}
	err = s.sameMoment(ctx, b, func(live *sql.Tx) error {
		v = &Verification{Seq: b.seq, Redecoded: current.redecoded}
		b.aim(PhaseComparing, b.seq)
		return v.compareAll(ctx, live, b.path)
	})
	if errors.Is(err, ErrRebuilding) {
		err = fmt.Errorf("the file of the read models in use is damaged; a running server rebuilds them by itself, and so does certtrail replay: %w", err)
	}
	return v, err
}

// compareAll compares all that live has with the database at path.
func (v *Verification) compareAll(ctx context.Context, live *sql.Tx, path string) error {
	rebuilt, err := openFile(path)
	if err != nil {
		return err
	}
	defer rebuilt.readers.Close()
	for _, t := range comparedTables {
		d, err := v.compare(ctx, t, span{}, live, rebuilt.readers)
		if err != nil {
			return fmt.Errorf("couldn't compare the table %s: %w", t.name, err)
		}
		v.Tables = append(v.Tables, d)
	}
	if err := v.compareHoldings(ctx, live, rebuilt.readers); err != nil {
		return err
	}
	return v.checkIndexes(ctx, live, strconv.Itoa(differencesShown))
}

// compareHoldings finds what only the read models in use hold.
func (v *Verification) compareHoldings(ctx context.Context, live, rebuilt querier) error {
	held, err := readHolding(ctx, live)
	if err != nil {
		return err
	}
	next, err := readHolding(ctx, rebuilt)
	v.Gone = held.gone(next)
	return err
}

// checkIndexes has SQLite hold the indexes, which lists are read by, against the tables: those of one table, or of all
// where what is a number of errors.
func (v *Verification) checkIndexes(ctx context.Context, live *sql.Tx, what string) error {
	rows, err := live.QueryContext(ctx, "PRAGMA integrity_check("+what+")")
	if err != nil {
		return fmt.Errorf("couldn't check the indexes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			v.Differing++
			v.note(Difference{Table: "sqlite", Live: line})
		}
	}
	return rows.Err()
}

// cursor returns the last event that the generation in use holds.
func (s *Store) cursor(ctx context.Context) (seq uint64, eventID string, err error) {
	db, done, err := s.reader()
	if err != nil {
		return 0, "", err
	}
	defer done(&err)
	err = db.QueryRowContext(ctx, "SELECT seq, event_id FROM cursor").Scan(&seq, &eventID)
	return seq, eventID, err
}

// held returns cursor's sequence.
func (s *Store) held(ctx context.Context) (uint64, error) {
	seq, _, err := s.cursor(ctx)
	return seq, err
}

// fresh reads the generation in use, as it is now, through a connection that has read nothing of it before and so goes
// by what the file has.
func (s *Store) fresh(ctx context.Context, do func(*sql.Tx) error) (err error) {
	f, done, err := s.readFile()
	if err != nil {
		return err
	}
	defer done(&err)
	own, err := openFile(f.path)
	if err != nil {
		return err
	}
	defer own.readers.Close()
	tx, err := own.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return do(tx)
}

// sameMoment has do read the generation in use as it is now, whatever is folded into it later, while b holds the same
// events.
func (s *Store) sameMoment(ctx context.Context, b *build, do func(live *sql.Tx) error) error {
	if err := b.catchUp(ctx, s.held); err != nil {
		return err
	}
	return s.fresh(ctx, func(live *sql.Tx) error {
		var to uint64
		if err := live.QueryRowContext(ctx, "SELECT seq FROM cursor").Scan(&to); err != nil { // the snapshot begins with the first statement
			return err
		}
		if err := b.reach(ctx, to); err != nil {
			return err
		}
		return do(live)
	})
}
