package main

import (
	"fmt"
	"io"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/schema"
)

func warnOfGaps(w io.Writer, gaps []schema.Gap) {
	for _, g := range gaps {
		fmt.Fprintf(w, "warning: %s; see the operating guide on gaps\n", text.EventsAre(g)+" gone from the log")
	}
}

// heldText writes "1 event that the read models held is gone from the log (4)".
func heldText(gaps schema.Gaps) string {
	is := "are"
	if gaps.Events() == 1 {
		is = "is"
	}
	return fmt.Sprintf("%s that the read models in use held %s gone from the log (%s)", text.Count(gaps.Events(), "event"), is, gaps)
}
