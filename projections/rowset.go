package projections

import (
	"cmp"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/certtrail/certtrail/schema"
)

// How many rows of a model are held in memory between batches: at most twice as many. A bulk load that somebody waits
// for holds more: it writes each but once.
const (
	rowsHeld       = 2_000
	rowsHeldInBulk = 8_000
)

// rowSet holds the writer's view of one read model: the states of the rows it has touched, and the statements that load
// and store them.
type rowSet[S, T any] struct {
	t    *Table[S, T]
	bulk bool // rows are written when they leave memory, not with each batch, and names have no index yet

	// Rows are held until most others have been touched since: those in old leave, those in held become old.
	most      int
	held, old map[rowKey]*row[S]
	dirty     []*row[S]            // of the batch; in bulk all that are held may be dirty
	left      *keySet              // in bulk: the keys that have been written; what is not among them is in no table
	dropped   map[droppedName]bool // in bulk: names that rows no longer bear
	folded    []pendingFold[S]     // by the event at hand

	apart     map[rowKey][]any // of the batch: what stands apart from its row
	keepApart *statement

	load, insert, update, deleteName *statement
	newNames                         *inserter
}

type rowKey struct{ provider, id string }

func (k rowKey) compare(other rowKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.id, other.id))
}

type row[S any] struct {
	rowKey
	state  S
	stored bool     // there is a row of it in the table
	dirty  bool     // state is not what is stored
	names  []string // as stored
}

// pendingFold holds a row and its next state by the event at hand.
type pendingFold[S any] struct {
	*row[S]
	next S
}

// droppedName holds a name that a row bore and bears no longer.
type droppedName struct {
	rowKey
	name string
}

func newRowSet[S, T any](db *database, t *Table[S, T], bulk bool) (*rowSet[S, T], error) {
	rs := &rowSet[S, T]{t: t, bulk: bulk, most: rowsHeld, held: map[rowKey]*row[S]{}, left: &keySet{}, dropped: map[droppedName]bool{}, apart: map[rowKey][]any{}}
	var err error
	if rs.newNames, err = db.inserter("names (reversed, model, provider, id)", 4); err != nil {
		return nil, err
	}
	if t.apart != nil {
		if rs.keepApart, err = db.prepare(t.apartSQL()); err != nil {
			return nil, err
		}
	}
	for stmt, text := range map[**statement]string{
		&rs.load:       selectOne(t),
		&rs.insert:     t.insertSQL(),
		&rs.update:     t.updateSQL(),
		&rs.deleteName: "DELETE FROM names WHERE reversed = ? AND model = ? AND provider = ? AND id = ?",
	} {
		if *stmt, err = db.prepare(text); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// foldError reports a fold's failure: the event is at fault, not the database.
type foldError struct{ reason string }

func (e *foldError) Error() string { return e.reason }

func (rs *rowSet[S, T]) fold(provider, id string, seq uint64, e *schema.Event) error {
	r, err := rs.row(rowKey{provider, id})
	if err != nil {
		return err
	}
	next, err := foldSafely(rs.t.fold, r.state, seq, e)
	if err == nil && rs.t.life(&next).EventCount > 0 { // the clock's notice of what nobody ever told of makes no row
		rs.folded = append(rs.folded, pendingFold[S]{r, next})
	}
	return err
}

func (rs *rowSet[S, T]) take() {
	for i := range rs.folded {
		f := &rs.folded[i]
		rs.takeApart(f)
		f.state = f.next
		if !f.dirty {
			f.dirty = true
			if !rs.bulk {
				rs.dirty = append(rs.dirty, f.row)
			}
		}
	}
	rs.leaveOut()
}

// takeApart takes out of a row's next state what does not stay with it.
func (rs *rowSet[S, T]) takeApart(f *pendingFold[S]) {
	apart := rs.t.apart
	if apart == nil {
		return
	}
	if apart.brought(&f.state, &f.next) {
		values := []any{f.provider, f.id}
		for _, c := range apart.columns(&f.next) {
			values = append(values, c.Value)
		}
		rs.apart[f.rowKey] = plainValues(values)
	}
	apart.drop(&f.next)
}

// storeApart writes what was taken apart in the batch.
func (rs *rowSet[S, T]) storeApart() error {
	for _, k := range slices.SortedFunc(maps.Keys(rs.apart), rowKey.compare) {
		if err := rs.keepApart.run(rs.apart[k]...); err != nil {
			return err
		}
	}
	clear(rs.apart)
	return nil
}

func (rs *rowSet[S, T]) leaveOut() {
	clear(rs.folded)
	rs.folded = rs.folded[:0]
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
	r := rs.old[k]
	if r == nil {
		r = &row[S]{rowKey: k}
		if err := rs.read(r); err != nil {
			return nil, err
		}
	}
	rs.held[k] = r
	return r, nil
}

// read reads r out of its table, if it is there.
func (rs *rowSet[S, T]) read(r *row[S]) error {
	if rs.bulk {
		if !rs.left.mayHold(r.hash()) {
			return nil
		}
	}
	err := rs.load.row(append([]any{&r.provider, &r.id}, rs.t.pointers(&r.state)...), r.provider, r.id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		r.stored = true
		r.names = rs.names(r)
	}
	return err
}

// flush ends a batch.
func (rs *rowSet[S, T]) flush() error {
	if err := rs.storeApart(); err != nil {
		return err
	}
	if !rs.bulk {
		if err := rs.write(rs.dirty); err != nil {
			return err
		}
		rs.dirty = rs.dirty[:0]
	}
	if len(rs.held) < rs.most {
		return nil
	}
	if rs.bulk {
		if err := rs.leave(rs.old); err != nil {
			return err
		}
	}
	rs.old, rs.held = rs.held, make(map[rowKey]*row[S], rs.most)
	return nil
}

// leave writes those of the rows that are not held otherwise.
func (rs *rowSet[S, T]) leave(rows map[rowKey]*row[S]) error {
	leaving := rs.dirty[:0]
	for k, r := range rows {
		if rs.held[k] == nil && r.dirty {
			leaving = append(leaving, r)
			rs.left.add(k.hash())
		}
	}
	rs.dirty = leaving[:0]
	return rs.write(leaving)
}

// hold makes the set hold so many rows between batches.
func (rs *rowSet[S, T]) hold(most int) { rs.most = most }

// finish ends a bulk load: everything is written.
func (rs *rowSet[S, T]) finish() error {
	if err := rs.leave(rs.old); err != nil {
		return err
	}
	all := rs.held
	rs.held, rs.old = map[rowKey]*row[S]{}, nil
	return rs.leave(all)
}

// dropNames takes out the names that rows bore for a while during a bulk load, once there is an index to find them by.
func (rs *rowSet[S, T]) dropNames() error {
	for d := range rs.dropped {
		if err := rs.deleteName.run(d.name, rs.t.Name, d.provider, d.id); err != nil {
			return err
		}
		r := &row[S]{rowKey: d.rowKey}
		err := rs.read(r)
		if err == nil && slices.Contains(r.names, d.name) { // it was taken up again
			err = rs.newNames.add(d.name, rs.t.Name, d.provider, d.id)
		}
		if err != nil {
			return err
		}
	}
	clear(rs.dropped)
	return rs.newNames.flush()
}

// write stores the rows as they are now.
func (rs *rowSet[S, T]) write(rows []*row[S]) error {
	slices.SortFunc(rows, func(a, b *row[S]) int { // neighbours in the table are written one after the other
		return a.compare(b.rowKey)
	})
	var err error
	if len(rows) > partSize {
		err = ahead(func(yield func([]*row[S]) error) error {
			for part := range slices.Chunk(rows, partSize) {
				if err := yield(part); err != nil {
					return err
				}
			}
			return nil
		}, rs.writings, rs.store)
	} else {
		err = rs.store(rs.writings(rows))
	}
	return errors.Join(err, rs.newNames.flush())
}

// writing holds a row as it goes to its table.
type writing[S any] struct {
	*row[S]
	values []any
	names  []string
}

func (rs *rowSet[S, T]) writings(rows []*row[S]) []writing[S] {
	list := make([]writing[S], len(rows))
	for i, r := range rows {
		list[i] = writing[S]{r, plainValues(rs.t.values(&r.state)), rs.names(r)}
	}
	return list
}

func (rs *rowSet[S, T]) store(list []writing[S]) error {
	for i := range list {
		w := &list[i]
		var err error
		if w.stored {
			err = rs.update.run(append(w.values, w.provider, w.id)...)
		} else {
			err = rs.insert.run(append([]any{w.provider, w.id}, w.values...)...)
		}
		if err == nil {
			err = rs.storeNames(w)
		}
		if err != nil {
			return err
		}
		w.stored, w.dirty, w.row.names = true, false, w.names
	}
	return nil
}

// storeNames writes the names that the row bears now and did not when it was written last, and takes out the others.
func (rs *rowSet[S, T]) storeNames(w *writing[S]) error {
	if slices.Equal(w.names, w.row.names) {
		return nil
	}
	for _, name := range w.names {
		if !slices.Contains(w.row.names, name) {
			if err := rs.newNames.add(name, rs.t.Name, w.provider, w.id); err != nil {
				return err
			}
		}
	}
	for _, name := range w.row.names {
		if !slices.Contains(w.names, name) {
			if err := rs.drop(w.rowKey, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (rs *rowSet[S, T]) drop(k rowKey, name string) error {
	if rs.bulk {
		rs.dropped[droppedName{k, name}] = true
		return nil
	}
	return rs.deleteName.run(name, rs.t.Name, k.provider, k.id)
}

// names returns the domain names r is found by, reversed and sorted.
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
	rs.old = nil
	rs.dirty = rs.dirty[:0]
	clear(rs.apart)
	rs.leaveOut()
	rs.newNames.forget()
}

// originalText returns the delivery that an event was read from, as JSON; of something that is no event, its bytes.
func originalText(o *schema.Original, wire []byte) (string, error) {
	if o == nil {
		if json.Valid(wire) {
			o = &schema.Original{Body: wire}
		} else {
			o = &schema.Original{BodyBase64: base64.StdEncoding.EncodeToString(wire)}
		}
	}
	b, err := json.Marshal(o)
	return string(b), err
}
