package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// OpenReadOnly opens a database that BuildSide or a server made, to be read without a log. asOf is its clock: the
// moment it was made of, or the zero time when it is a server's own, whose clock is the present.
func OpenReadOnly(path string, logger *slog.Logger) (s *Store, seq uint64, asOf time.Time, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, 0, asOf, fmt.Errorf("couldn't open the database: %w", err)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, 0, asOf, fmt.Errorf("couldn't open %s as a database: %w", path, err)
	}
	if seq, asOf, err = f.identify(); err != nil {
		f.readers.Close()
		return nil, 0, asOf, fmt.Errorf("couldn't read %s: %w", path, err)
	}
	s = &Store{logger: logger, hub: newHub(), baton: newBaton(), building: newBuildLock(), current: f}
	s.status = Status{Name: "read-models", State: StateLive, Seq: seq}
	s.hub.begin(seq)
	return s, seq, asOf, nil
}

// identify tells what the database holds, if it is one of this program's.
func (f *file) identify() (seq uint64, asOf time.Time, err error) {
	ctx := context.Background()
	var application, tables int32
	err = errors.Join(
		f.readers.QueryRowContext(ctx, "PRAGMA application_id").Scan(&application),
		f.readers.QueryRowContext(ctx, "PRAGMA user_version").Scan(&tables))
	switch {
	case err != nil:
		return 0, asOf, err
	case application != applicationID:
		return 0, asOf, errors.New("it is not a database of certtrail's")
	case tables != tablesNumber():
		return 0, asOf, errors.New("another version of certtrail made it, with other tables: make it again with this one, or show it with that one")
	}
	var at schema.Time
	err = f.readers.QueryRowContext(ctx, "SELECT seq, as_of FROM cursor").Scan(&seq, timeColumn{&at})
	if errors.Is(err, sql.ErrNoRows) {
		err = errors.New("it was not finished")
	}
	return seq, at.Time, err
}
