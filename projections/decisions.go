package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// decision holds what people decided about a matter last.
type decision struct {
	id       string
	state    string // what holds now; empty: the matter is open
	Decision Decision
}

var decisions = define(Table[lifecycle.Decision, decision]{
	Spec: Spec{Name: lifecycle.Attention, Key: "id", Sorts: []string{"last_event_at"}},
	columns: func(d *lifecycle.Decision) []Column {
		return []Column{
			{"matter", whole(&d.Matter)}, // with what was decided last
			{"row_id", &d.Row},
			{"decision", &d.State},
			{"decided_by", &d.By},
		}
	},
	life: func(d *lifecycle.Decision) *lifecycle.Life { return &d.Life },
	fold: lifecycle.Decision.Fold,
	item: func(k Key, d *lifecycle.Decision, now time.Time) decision {
		return decision{k.ID, d.Standing(now), Decision{At: d.LastEventAt, Until: d.Matter.Until, By: d.By, Note: d.Matter.Note}}
	},
})

// decide fills in what holds at now of what people decided about the matters.
func (s *Store) decide(ctx context.Context, matters []Matter, now time.Time) (err error) {
	if len(matters) == 0 {
		return nil
	}
	db, done, err := s.reader()
	if err != nil {
		return err
	}
	defer done(&err)
	ids := make([]string, len(matters)) // one order may bring hundreds of them: more than a statement may have arguments
	for i := range matters {
		ids[i] = matters[i].ID
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, decisions.selectColumns()+" FROM "+decisions.Name+" WHERE id IN (SELECT value FROM json_each(?))", string(text))
	if err != nil {
		return err
	}
	defer rows.Close()
	decided := map[string]decision{}
	for rows.Next() {
		key, state, err := scanRow(decisions, rows)
		if err != nil {
			return err
		}
		decided[key.id] = *itemOf(decisions, key, state, now).(*decision)
	}
	for i := range matters {
		matters[i].State, matters[i].AsOf = Undecided, now
		if d := decided[matters[i].ID]; d.state != "" {
			matters[i].State, matters[i].Decision = d.state, &d.Decision
		}
	}
	return rows.Err()
}

// MatterOf returns one occurrence of a matter as it stands at now: what Attention finds of its row, also where it lists
// only so many, with what holds of what people decided about it. Of one that is acknowledged only that is known. The
// error is ErrNotFound where there is no such matter, or none any more.
func (s *Store) MatterOf(ctx context.Context, provider, row string, of schema.Matter, now time.Time) (*Matter, error) {
	wanted := []Matter{Matter{Kind: of.Kind, Provider: provider}.identified(row, of.Part, of.Since)}
	if err := s.decide(ctx, wanted, now); err != nil {
		return nil, err
	}
	if wanted[0].State == lifecycle.Acknowledged {
		return &wanted[0], nil
	}
	key := &rowKey{provider, cmp.Or(row, of.Part)} // a delivery that was not understood is a part of no row
	for _, find := range s.finders(Query{Now: now, row: key}) {
		matters, _, err := find(ctx, "")
		if err != nil {
			return nil, err
		}
		for _, m := range matters {
			if m.ID == wanted[0].ID {
				m.State, m.Decision, m.AsOf = wanted[0].State, wanted[0].Decision, now
				return &m, nil
			}
		}
	}
	return nil, ErrNotFound
}

// MattersOf returns the matters of one order as it stands now, the longest waiting first, with what holds at now of
// what people decided about them. One that is acknowledged is left out.
func (s *Store) MattersOf(ctx context.Context, o *Order, now time.Time) ([]Matter, error) {
	matters := orderMatters(o)
	if err := s.decide(ctx, matters, now); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(matters, func(m Matter) bool { return m.State == lifecycle.Acknowledged }), nil
}
