package projections

import (
	"context"
	"fmt"

	"github.com/certtrail/certtrail/schema"
)

// lost are the events that the log has lost, until an operator has accepted it.
func (s *Store) lost(Query) finder {
	return func(context.Context, string) ([]Matter, string, error) {
		if s.o.Losses == nil {
			return nil, "", nil
		}
		return mattersOf(s.o.Losses(), lossMatters), "", nil
	}
}

// lossMatters is the matter of a loss.
func lossMatters(l *schema.Loss) []Matter {
	m := Matter{Severity: Critical, Kind: schema.MatterEventsLost, What: "Events are gone from the log", Since: l.Found, Href: "/system", Detail: lossText(l),
		Means: "What they said is not in the log any more. The pages may still show what came of them, until they are rebuilt.",
		Do:    fmt.Sprintf("Compare with a backup, or reconcile with the providers. Then settle it: certtrail log accept-gap %s.", l.Gap)}
	if m.Number = fmt.Sprintf("%d to %d", l.First, l.Last); l.First == l.Last {
		m.What, m.Number = "An event is gone from the log", fmt.Sprint(l.First)
		m.Means = "What it said is not in the log any more. The pages may still show what came of it, until they are rebuilt."
	}
	return []Matter{m.identified("", l.Gap.String(), l.Found)}
}

// lossText says how events were lost.
func lossText(l *schema.Loss) string {
	switch l.Cause {
	case schema.CauseDamaged:
		return fmt.Sprintf("The file %s of the log was damaged; all that could be read of it was put back.", l.File)
	case schema.CauseMissing:
		return fmt.Sprintf("The file %s of the log is gone.", l.File)
	case schema.CauseEnd:
		return "The log ended before events that had been answered."
	}
	return "Nothing tells how they were lost."
}
