package projections

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// database holds one connection to a SQLite file for the one goroutine that writes it. It speaks to the driver without
// database/sql, which takes a third of the time of a small statement and has no use where nothing is shared.
type database struct {
	conn       *sqlite3.SQLiteConn
	statements []*statement
	behind     *behind // nil: a statement has run when it returns
}

func openDatabase(dsn string) (*database, error) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &database{conn: conn.(*sqlite3.SQLiteConn)}, nil
}

// close closes the connection with its statements, without which SQLite would keep the file open.
func (d *database) close() error {
	errs := []error{d.stopBehind()}
	for _, s := range d.statements {
		errs = append(errs, s.s.Close())
	}
	return errors.Join(append(errs, d.conn.Close())...)
}

// exec runs statements without arguments.
func (d *database) exec(ctx context.Context, text string) error {
	run := func() error {
		_, err := d.conn.ExecContext(ctx, text, nil)
		return err
	}
	if d.behind != nil {
		return d.behind.put(job{do: run})
	}
	return run()
}

// prepare makes a statement that lives as long as the database.
func (d *database) prepare(text string) (*statement, error) {
	s, err := d.conn.Prepare(text)
	if err != nil {
		return nil, fmt.Errorf("couldn't prepare %q: %w", text, err)
	}
	d.statements = append(d.statements, &statement{d: d, s: s.(*sqlite3.SQLiteStmt)})
	return d.statements[len(d.statements)-1], nil
}

type statement struct {
	d      *database
	s      *sqlite3.SQLiteStmt
	args   []driver.NamedValue
	values []driver.Value
}

// run runs the statement for its effect. Arguments are what database/sql takes, and pointers to it; where the database
// writes behind, neither args nor what it points to may change any more.
func (s *statement) run(args ...any) error {
	if s.d.behind != nil {
		return s.d.behind.put(job{statement: s, args: args})
	}
	return s.runNow(args)
}

func (s *statement) runNow(args []any) error {
	rows, err := s.start(args)
	if err != nil {
		return err
	}
	return rows.Close()
}

// row reads the first row of the statement's result into dest, pointers and sql.Scanners; sql.ErrNoRows if there is
// none.
func (s *statement) row(dest []any, args ...any) error {
	if err := s.d.caughtUp(); err != nil {
		return err
	}
	rows, err := s.start(args)
	if err != nil {
		return err
	}
	if len(s.values) != len(dest) {
		s.values = make([]driver.Value, len(dest))
	}
	err = rows.Next(s.values)
	if errors.Is(err, io.EOF) {
		err = sql.ErrNoRows
	}
	for i := 0; err == nil && i < len(dest); i++ {
		if err = assign(dest[i], s.values[i]); err != nil { // what was written there can be read
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return errors.Join(err, rows.Close())
}

// start takes the statement's first step. The driver binds all arguments of a query in one crossing into C, those of an
// exec in one each.
func (s *statement) start(args []any) (driver.Rows, error) {
	s.args = s.args[:0]
	for i, arg := range args {
		v, err := driverValue(arg)
		if err != nil {
			return nil, err
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.s.QueryContext(context.Background(), s.args) // no deadline: a context that can end costs a goroutine each statement
}

// inserter inserts rows of one table, many with one statement, which costs little more than one with it.
type inserter struct {
	one, many *statement
	columns   int
	waiting   []any // the values of rows that are not written yet
}

// atOnce limits the rows that an inserter writes with one statement.
const atOnce = 32

// inserter makes an inserter for "table (column, …)".
func (d *database) inserter(into string, columns int) (*inserter, error) {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	one, err := d.prepare("INSERT INTO " + into + " VALUES " + row)
	if err != nil {
		return nil, err
	}
	many, err := d.prepare("INSERT INTO " + into + " VALUES " + row + strings.Repeat(", "+row, atOnce-1))
	return &inserter{one: one, many: many, columns: columns}, err
}

// add takes one row.
func (i *inserter) add(values ...any) error {
	i.waiting = append(i.waiting, values...)
	if len(i.waiting) < atOnce*i.columns {
		return nil
	}
	err := i.many.run(i.waiting...)
	i.empty()
	return err
}

// flush writes the rows that wait.
func (i *inserter) flush() error {
	for row := range slices.Chunk(i.waiting, i.columns) {
		if err := i.one.run(row...); err != nil {
			return err
		}
	}
	i.empty()
	return nil
}

// empty makes room for more rows, elsewhere if those before may not have been written yet.
func (i *inserter) empty() {
	if i.one.d.behind != nil {
		i.waiting = make([]any, 0, atOnce*i.columns)
		return
	}
	i.waiting = i.waiting[:0]
}

// forget drops the rows that wait.
func (i *inserter) forget() { i.empty() }

// driverValue converts arg to a type that the driver takes.
func driverValue(arg any) (driver.Value, error) {
	switch v := arg.(type) {
	case string, int64, bool, []byte, nil:
		return v, nil
	case driver.Valuer:
		return v.Value()
	case *string:
		return *v, nil
	case *bool:
		return *v, nil
	case *int:
		return int64(*v), nil
	case *uint64:
		return int64(*v), nil
	case int:
		return int64(v), nil
	case uint64:
		return int64(v), nil
	}
	return nil, fmt.Errorf("a column cannot hold %T", arg)
}

// plainValues converts values to types that the driver takes, beforehand. One that a column cannot hold stays as it is,
// and fails where it is written.
func plainValues(values []any) []any {
	for i := range values {
		if v, err := driverValue(values[i]); err == nil {
			values[i] = v
		}
	}
	return values
}

// assign puts what the driver read where dest points.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(v)
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int:
		if n, ok := v.(int64); ok {
			*d = int(n)
			return nil
		}
	case *uint64:
		if n, ok := v.(int64); ok {
			*d = uint64(n)
			return nil
		}
	case *bool:
		if n, ok := v.(int64); ok {
			*d = n != 0
			return nil
		}
	}
	return fmt.Errorf("a column holds %T, which %T cannot take", v, dest)
}
