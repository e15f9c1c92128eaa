package main

import (
	"context"
	"fmt"
	"io"

	"github.com/certtrail/certtrail/schema"
)

// lookForGaps reads the log to its end once, so that what is gone from it is known however far the read models are.
func (sv *serverProcess) lookForGaps(ctx context.Context) {
	err := sv.log.LookForGaps(ctx, func() { sv.store.GiveWay(ctx) })
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		sv.logger.Error("what is gone from the log is not known", "error", err)
	}
	if gaps, _ := sv.log.Gaps(); len(gaps) > 0 {
		sv.logger.Error("events are gone from the log; see the operating guide on gaps", "events", gaps.Events(), "sequences", gaps)
	}
}

func warnOfGaps(w io.Writer, gaps []schema.Gap) {
	for _, g := range gaps {
		fmt.Fprintf(w, "warning: %s; see the operating guide on gaps\n", gone(g))
	}
}

func gone(g schema.Gap) string {
	if g.First == g.Last {
		return fmt.Sprintf("event %d is gone from the log", g.First)
	}
	return fmt.Sprintf("events %d to %d are gone from the log", g.First, g.Last)
}

// heldText is "1 event that the read models held is gone from the log (4)".
func heldText(gaps schema.Gaps) string {
	is := "are"
	if gaps.Events() == 1 {
		is = "is"
	}
	return fmt.Sprintf("%s that the read models in use held %s gone from the log (%s)", count(gaps.Events(), "event"), is, gaps)
}
