package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
)

// plainEvery is how often progress is told where nobody watches a terminal.
const plainEvery = 5 * time.Second

// bar shows the progress of a building: one line that is written over in a terminal, now and then a line of its own elsewhere.
type bar struct {
	w        io.Writer
	terminal bool
	shown    time.Time
	phase    string
}

func newBar(w io.Writer) *bar {
	b := &bar{w: w}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

// line takes a line of the owner's answer.
func (b *bar) line(text []byte) error {
	var p projections.Progress
	if progressOf(text, &p) {
		b.show(p)
	}
	return nil
}

func (b *bar) show(p projections.Progress) {
	if b.terminal {
		fmt.Fprintf(b.w, "\r\x1b[K%s", barText(p))
		b.shown = time.Now()
		return
	}
	if p.Phase != b.phase || time.Since(b.shown) >= plainEvery {
		fmt.Fprintln(b.w, barText(p))
		b.shown, b.phase = time.Now(), p.Phase
	}
}

// end leaves the terminal at the beginning of a line.
func (b *bar) end() {
	if b.terminal && !b.shown.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

const barWidth = 24

// barText is "reading [=====>    ] 41 %  410,000 of 1,000,000 events  98,312/s  6 s left".
func barText(p projections.Progress) string {
	phase := strings.ReplaceAll(p.Phase, "_", " ")
	if p.Phase == projections.PhaseIndexing || p.Phase == projections.PhaseComparing {
		return fmt.Sprintf("%s after %s events", phase, commas(p.Seq))
	}
	full := int(p.Percent / 100 * barWidth)
	drawn := strings.Repeat("=", full)
	if full < barWidth {
		drawn += ">" + strings.Repeat(" ", barWidth-full-1)
	}
	text := fmt.Sprintf("%s [%s] %.0f %%  %s of %s events", phase, drawn, p.Percent, commas(p.Seq), commas(p.TargetSeq))
	if p.EventsPerSecond > 0 {
		text += fmt.Sprintf("  %s/s", commas(uint64(p.EventsPerSecond)))
	}
	if p.SecondsLeft > 0 {
		text += fmt.Sprintf("  %s left", (time.Duration(p.SecondsLeft) * time.Second).Round(time.Second))
	}
	return text
}
