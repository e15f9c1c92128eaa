// Package progress shows on a terminal how far a command is.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Counter shows on a terminal how far a command is, on a line that it writes again and again. Anywhere else it shows
// nothing.
type Counter struct {
	w     io.Writer // nil: not a terminal
	shown time.Time
}

const counterPace = 100 * time.Millisecond

// NewCounter returns a counter that writes to w if that is a terminal.
func NewCounter(w io.Writer) *Counter {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &Counter{w: f}
		}
	}
	return &Counter{}
}

// Show writes the line over, at most ten times a second.
func (c *Counter) Show(format string, args ...any) {
	if c.w != nil && time.Since(c.shown) >= counterPace {
		c.shown = time.Now()
		fmt.Fprintf(c.w, "\r\x1b[K"+format, args...)
	}
}

// Clear takes the line away again.
func (c *Counter) Clear() {
	if c.w != nil && !c.shown.IsZero() {
		fmt.Fprint(c.w, "\r\x1b[K")
	}
}
