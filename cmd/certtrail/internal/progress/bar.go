package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/projections"
)

// plainEvery sets how often progress is reported if nobody watches a terminal.
const plainEvery = 5 * time.Second

// Bar shows the progress of a building: one line that is written over in a terminal, now and then a line of its own
// elsewhere.
type Bar struct {
	*Counter
	plain   io.Writer
	shownAt time.Time
	phase   string
}

// NewBar returns a bar that writes to w.
func NewBar(w io.Writer) *Bar { return &Bar{Counter: NewCounter(w), plain: w} }

// Take shows a report of the owner, a projections.Progress as JSON. What cannot be read shows nothing.
func (b *Bar) Take(report []byte) {
	var p projections.Progress
	if json.Unmarshal(report, &p) == nil {
		b.show(p)
	}
}

func (b *Bar) show(p projections.Progress) {
	if b.Counter.w != nil {
		b.Counter.Show("%s", barText(p))
		return
	}
	if p.Phase != b.phase || time.Since(b.shownAt) >= plainEvery {
		fmt.Fprintln(b.plain, barText(p))
		b.shownAt, b.phase = time.Now(), p.Phase
	}
}

const barWidth = 24

// barText writes "reading [=====>    ] 41 %  410,000 of 1,000,000 events  98,312/s  6 s left".
func barText(p projections.Progress) string {
	phase := strings.ReplaceAll(p.Phase, "_", " ")
	if p.Phase == projections.PhaseIndexing || p.Phase == projections.PhaseComparing {
		return fmt.Sprintf("%s after %s events", phase, text.Commas(p.Seq))
	}
	full := int(p.Percent / 100 * barWidth)
	drawn := strings.Repeat("=", full)
	if full < barWidth {
		drawn += ">" + strings.Repeat(" ", barWidth-full-1)
	}
	line := fmt.Sprintf("%s [%s] %.0f %%  %s of %s events", phase, drawn, p.Percent, text.Commas(p.Seq), text.Commas(p.TargetSeq))
	if p.EventsPerSecond > 0 {
		line += fmt.Sprintf("  %s/s", text.Commas(uint64(p.EventsPerSecond)))
	}
	if p.SecondsLeft > 0 {
		line += fmt.Sprintf("  %s left", (time.Duration(p.SecondsLeft) * time.Second).Round(time.Second))
	}
	return line
}
