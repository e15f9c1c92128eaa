package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// silent are the providers that have been silent for longer than their own rhythm explains.
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
	m := Matter{Severity: Warning, Kind: schema.MatterSilent, Provider: t.Provider, What: "Gone silent", Since: t.LastAt, Href: "/system",
		Detail: fmt.Sprintf("No delivery has arrived for %s; pauses of more than %s are unusual for it.", roughly(silence.For), roughly(silence.Usual)),
		Means:  "What it reports meanwhile may be lost: most providers do not send again.",
		Do:     "Check that its webhook is still enabled, send a test delivery from the system page, and reconcile. If you no longer use it, acknowledge this."}
	return []Matter{m.identified("", "", t.LastAt)}
}

// roughly is a time in hours, or in days from two days on.
func roughly(d time.Duration) string {
	if hours := int(d.Hours()); hours < 48 {
		return fmt.Sprint(hours, " h")
	}
	return fmt.Sprint(int(d.Hours()/24), " d")
}
