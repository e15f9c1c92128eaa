package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/certtrail/certtrail/schema"
)

// Missing tells what is gone from the log, and how the read models in use stand to it: the log knows what it lacks,
// they know what they were folded without. What an operator has accepted stands in Accepted only.
type Missing struct {
	Gaps     schema.Gaps // sequences that no event has
	Held     schema.Gaps // those of Gaps that were there when they were folded into the read models: rebuilt, those lose what the events changed
	Back     schema.Gaps // what the log has, though the read models were folded without: rebuilt, those gain it
	Accepted schema.Gaps // gone, and an operator has said that this is settled
	Kept     []string    // files of read models that know more than the log, until it is settled what the log lost
}

// missing compares what the log lacks with what the read models lack.
func (s *Store) missing(ctx context.Context) (m Missing, err error) {
	var all schema.Gaps
	if s.o.Gaps != nil {
		all, m.Accepted = s.o.Gaps()
	}
	m.Gaps = all.Without(m.Accepted)
	if s.o.Dir != "" {
		if m.Kept, err = keptIn(s.o.Dir); err != nil {
			return m, err
		}
	}
	db, done, err := s.reader()
	if errors.Is(err, ErrRebuilding) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer done(&err)
	h, err := readHolding(ctx, db)
	if err != nil {
		return m, err
	}
	if s.o.Gaps == nil { // there is no log to ask
		m.Gaps = h.without
	} else {
		m.Back = h.without.Without(all)
	}
	m.Held = h.lacking(m.Gaps)
	return m, nil
}

// holding tells which events a generation holds: all up to seq, but for those it was folded without.
type holding struct {
	seq     uint64
	without schema.Gaps
}

func readHolding(ctx context.Context, db querier) (h holding, err error) {
	found, err := db.QueryContext(ctx, "SELECT seq, coalesce(first_seq, 0), coalesce(last_seq, 0) FROM cursor LEFT JOIN gaps ORDER BY first_seq")
	if err != nil {
		return h, err
	}
	defer found.Close()
	known := false
	for found.Next() {
		known = true
		var g schema.Gap
		if err := found.Scan(&h.seq, &g.First, &g.Last); err != nil {
			return h, err
		}
		if g.First > 0 {
			h.without = append(h.without, g)
		}
	}
	if err := found.Err(); err != nil || known {
		return h, err
	}
	return h, fmt.Errorf("%w: its cursor is gone", errDamaged)
}

// lacking returns what of h is in gaps.
func (h holding) lacking(gaps schema.Gaps) schema.Gaps { return gaps.UpTo(h.seq).Without(h.without) }

// gone returns what h holds and next does not, though it goes as far.
func (h holding) gone(next holding) schema.Gaps {
	gaps := next.without
	if next.seq < h.seq {
		gaps = gaps.And(schema.Gap{First: next.seq + 1, Last: h.seq})
	}
	return h.lacking(gaps)
}

// holdingOf returns what the database at path holds; nothing, if it cannot be read.
func holdingOf(ctx context.Context, path string) (h holding, err error) {
	f, err := openFile(path)
	if err != nil {
		return h, err
	}
	defer f.readers.Close()
	return readHolding(ctx, f.readers)
}

// goneFrom returns what the generation in use, or the last that was, holds and the one at path does not. Where the
// former cannot be read any more it returns nothing.
func (s *Store) goneFrom(ctx context.Context, path string) (schema.Gaps, error) {
	next, err := holdingOf(ctx, path)
	if err != nil {
		return nil, err
	}
	db, done, err := s.reader()
	if err != nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.dropped.gone(next), nil
	}
	held, err := readHolding(ctx, db)
	if done(&err); err != nil {
		return nil, ctx.Err()
	}
	return held.gone(next), nil
}
