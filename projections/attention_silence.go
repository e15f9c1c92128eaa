package projections

import (
	"context"
	"time"

	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// silent finds the providers that have been silent for longer than their own rhythm explains.
func (s *Store) silent(q Query) finder {
	return func(ctx context.Context, _ string) ([]Matter, string, error) {
		traffic, err := s.traffic(ctx, q.Now, rules.LeastSilence)
		return mattersOf(traffic, func(t *Traffic) []Matter { return silenceMatters(t, q.Now) }), "", err
	}
}

func silenceMatters(t *Traffic, now time.Time) []Matter {
	silence := t.Silence(now)
	if !silence.Silent {
		return nil
	}
	m := Matter{Severity: Warning, Kind: schema.MatterSilent, Provider: t.Provider, Since: t.LastAt, Facts: MatterFacts{Silence: silence}}
	return []Matter{m.identified("", "", t.LastAt)}
}
