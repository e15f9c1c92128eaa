package projections

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/certtrail/certtrail/schema"
)

// rowsHeld bounds how many rows of a model are held in memory between batches.
const rowsHeld = 20_000

// rowSet is the writer's view of one read model: the states of the rows it has touched, and the statements that load and store them.
type rowSet[S, T any] struct {
	t     *table[S, T]
	held  map[rowKey]*row[S]
	dirty []*row[S]

	load, insert, update, insertName, deleteName *sql.Stmt
}

type rowKey struct{ provider, id string }

type row[S any] struct {
	rowKey
	state  S
	stored bool     // there is a row of it in the table
	dirty  bool     // state is not what is stored
	names  []string // as stored
}

func newRowSet[S, T any](conn *sql.Conn, t *table[S, T]) (*rowSet[S, T], error) {
	rs := &rowSet[S, T]{t: t, held: map[rowKey]*row[S]{}}
	var err error
	for stmt, text := range map[**sql.Stmt]string{
		&rs.load:       t.selectSQL() + " WHERE provider = ? AND " + t.key + " = ?",
		&rs.insert:     t.insertSQL(),
		&rs.update:     t.updateSQL(),
		&rs.insertName: "INSERT OR IGNORE INTO names (reversed, model, provider, id) VALUES (?, ?, ?, ?)",
		&rs.deleteName: "DELETE FROM names WHERE reversed = ? AND model = ? AND provider = ? AND id = ?",
	} {
		if *stmt, err = conn.PrepareContext(context.Background(), text); err != nil {
			return nil, fmt.Errorf("couldn't prepare %q: %w", text, err)
		}
	}
	return rs, nil
}

// foldError is a fold's failure: the event is at fault, not the database.
type foldError struct{ reason string }

func (e *foldError) Error() string { return e.reason }

func (rs *rowSet[S, T]) fold(provider, id string, seq uint64, e *schema.Event) (func(), error) {
	r, err := rs.row(rowKey{provider, id})
	if err != nil {
		return nil, err
	}
	next, err := foldSafely(rs.t.fold, r.state, seq, e)
	if err != nil {
		return nil, err
	}
	return func() {
		r.state = next
		if !r.dirty {
			r.dirty = true
			rs.dirty = append(rs.dirty, r)
		}
	}, nil
}

// foldSafely makes an error of a fold's panic: one event must not keep all that follow it from being seen.
func foldSafely[S any](fold func(S, uint64, *schema.Event) S, s S, seq uint64, e *schema.Event) (next S, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &foldError{fmt.Sprintf("folding %s failed: %v", e.Type, p)}
		}
	}()
	return fold(s, seq, e), nil
}

func (rs *rowSet[S, T]) row(k rowKey) (*row[S], error) {
	if r := rs.held[k]; r != nil {
		return r, nil
	}
	r := &row[S]{rowKey: k}
	err := rs.load.QueryRow(k.provider, k.id).Scan(append([]any{&r.provider, &r.id}, rs.t.pointers(&r.state)...)...)
	switch {
	case err == nil:
		r.stored = true
		r.names = rs.names(r)
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	rs.held[k] = r
	return r, nil
}

func (rs *rowSet[S, T]) flush() error {
	slices.SortFunc(rs.dirty, func(a, b *row[S]) int { // neighbours in the table are written one after the other
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.id, b.id))
	})
	for _, r := range rs.dirty {
		if err := rs.store(r); err != nil {
			return err
		}
		r.dirty = false
	}
	rs.dirty = rs.dirty[:0]
	if len(rs.held) > rowsHeld {
		clear(rs.held)
	}
	return nil
}

func (rs *rowSet[S, T]) store(r *row[S]) error {
	values := rs.t.values(&r.state)
	var err error
	if r.stored {
		_, err = rs.update.Exec(append(values, r.provider, r.id)...)
	} else {
		_, err = rs.insert.Exec(append([]any{r.provider, r.id}, values...)...)
		r.stored = true
	}
	if err != nil {
		return err
	}
	names := rs.names(r)
	if slices.Equal(names, r.names) {
		return nil
	}
	for _, name := range names {
		if !slices.Contains(r.names, name) {
			if _, err := rs.insertName.Exec(name, rs.t.name, r.provider, r.id); err != nil {
				return err
			}
		}
	}
	for _, name := range r.names {
		if !slices.Contains(names, name) {
			if _, err := rs.deleteName.Exec(name, rs.t.name, r.provider, r.id); err != nil {
				return err
			}
		}
	}
	r.names = names
	return nil
}

// names are the domain names r is found by, reversed and sorted.
func (rs *rowSet[S, T]) names(r *row[S]) []string {
	if rs.t.names == nil {
		return nil
	}
	var reversed []string
	for _, name := range rs.t.names(r.id, &r.state) {
		if name != "" {
			reversed = append(reversed, schema.ReverseName(name))
		}
	}
	slices.Sort(reversed)
	return slices.Compact(reversed)
}

func (rs *rowSet[S, T]) forget() {
	clear(rs.held)
	rs.dirty = rs.dirty[:0]
}

// originalText is the delivery that an event was read from, as JSON; of something that is no event, its bytes.
func originalText(o *schema.Original, wire []byte) (string, error) {
	if o == nil {
		if json.Valid(wire) {
			o = &schema.Original{Body: wire}
		} else {
			o = &schema.Original{BodyBase64: base64Text(wire)}
		}
	}
	b, err := json.Marshal(o)
	return string(b), err
}
