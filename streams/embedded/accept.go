package embedded

import (
	"context"
	"fmt"

	"github.com/certtrail/certtrail/schema"
)

// AcceptGap appends the event that an operator accepts a gap, which is then settled: certtrail stops reporting it.
func (l *Log) AcceptGap(ctx context.Context, e *schema.Event) (seq uint64, err error) {
	gap, ok := e.AcceptedGap()
	if !ok {
		return 0, fmt.Errorf("event %s accepts no gap of this log", e.ID)
	}
	switch gaps := l.Gaps(); {
	case len(gaps) == 0:
		return 0, fmt.Errorf("no event is missing from the log, so there is no gap %s to accept", gap)
	case !gaps.Covers(gap):
		return 0, fmt.Errorf("%s is no gap of the log: what is missing is %s", gap, gaps)
	case l.Accepted().Covers(gap):
		return 0, fmt.Errorf("the gap %s has been accepted already", gap)
	}
	report, err := l.Check(ctx, nil) // somebody may have noted what is there
	if err != nil {
		return 0, err
	}
	if !report.Gaps.And(report.Accepted...).Covers(gap) {
		return 0, fmt.Errorf("%s is no gap of the log: its files have events of it", gap)
	}
	if seq, err = l.Append(ctx, e); err != nil {
		return 0, fmt.Errorf("the gap was not accepted: %w", err)
	}
	l.gaps.Accept(gap)
	return seq, nil
}
