package projections

import (
	"context"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// tlsFindings lists only the findings about TLS.
var tlsFindings = limited(Findings, "tls")

// tlsFindingsOn returns the findings about TLS on the host of that name, also those that only say of which target they
// are.
func (s *Store) tlsFindingsOn(ctx context.Context, name string, onIt []Target, now time.Time, truncated *[]string) ([]Finding, error) {
	return selected(ctx, s, tlsFindings, now, truncated, func(w *where) {
		terms := []string{"(provider, id) IN (SELECT provider, id FROM names WHERE model = 'findings' AND reversed = ?)"}
		args := []any{schema.ReverseName(name)}
		for _, t := range onIt {
			terms = append(terms, "provider = ? AND target_id = ? AND "+findingHost+" = ''")
			args = append(args, t.Provider, t.ID)
		}
		w.add("("+strings.Join(terms, ") OR (")+")", args...)
	})
}
