package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// counter shows on a terminal how far a command is, on a line that it writes again and again. Anywhere else it shows
// nothing.
type counter struct {
	w     io.Writer // nil: not a terminal
	shown time.Time
}

const counterPace = 100 * time.Millisecond

func newCounter(w io.Writer) *counter {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &counter{w: f}
		}
	}
	return &counter{}
}

func (c *counter) show(format string, args ...any) {
	if c.w != nil && time.Since(c.shown) >= counterPace {
		c.shown = time.Now()
		fmt.Fprintf(c.w, "\r\x1b[K"+format, args...)
	}
}

// clear takes the line away again.
func (c *counter) clear() {
	if c.w != nil && !c.shown.IsZero() {
		fmt.Fprint(c.w, "\r\x1b[K")
	}
}
