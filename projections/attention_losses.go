package projections

import (
	"context"

	"github.com/certtrail/certtrail/schema"
)

// lost finds the events that the log has lost, until an operator has accepted it.
func (s *Store) lost(Query) finder {
	return func(context.Context, string) ([]Matter, string, error) {
		if s.o.Losses == nil {
			return nil, "", nil
		}
		return mattersOf(s.o.Losses(), lossMatters), "", nil
	}
}

// lossMatters returns the matter of a loss.
func lossMatters(l *schema.Loss) []Matter {
	m := Matter{Severity: Critical, Kind: schema.MatterEventsLost, Since: l.Found, Facts: MatterFacts{Loss: l}}
	return []Matter{m.identified("", l.Gap.String(), l.Found)}
}
