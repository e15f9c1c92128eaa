package picture

import (
	"fmt"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
)

// A sparkline shows a provider's deliveries by day, or by hour while they are young.
const (
	sparkDays  = 60
	sparkHours = 48

	sparkStep   = 8 // from bar to bar, in units of the picture
	sparkHeight = 36
)

// Spark draws deliveries, with the table that it was drawn from.
type Spark struct {
	Title  string // what it shows, a sentence
	Width  int
	Height int
	Bars   []bar
	Most   string // in one bar
	Total  string
	Unit   string // "day" or "hour"
	From   string // the first bar
}

// bar draws one bar; times without a delivery have none.
type bar struct {
	X, Y, H    int
	BadY, BadH int // the part that was not understood; BadH 0: none
	Label      string
	Count, Bad int
}

// SparkOf returns nil where nothing has ever come.
func SparkOf(t *projections.Traffic, now time.Time) *Spark {
	if t == nil {
		return nil
	}
	unit, step, n, layout := "day", 24*time.Hour, sparkDays, "2 Jan 2006"
	if len(t.Hours) > 0 && now.Sub(t.Hours[0].Hour.Time) < sparkHours*time.Hour {
		unit, step, n, layout = "hour", time.Hour, sparkHours, "2 Jan, 15:04"
	}
	end := now.UTC().Truncate(step).Add(step)
	begin := end.Add(-time.Duration(n) * step)
	s := &Spark{Width: n * sparkStep, Height: sparkHeight, Unit: unit, From: begin.Format(layout)}
	total, most := 0, 0
	for _, h := range t.Hours {
		i := int(h.Hour.Sub(begin) / step)
		if h.Hour.Before(begin) || i >= n {
			continue
		}
		if x := i * sparkStep; len(s.Bars) == 0 || s.Bars[len(s.Bars)-1].X != x {
			s.Bars = append(s.Bars, bar{X: x, Label: begin.Add(time.Duration(i) * step).Format(layout)})
		}
		b := &s.Bars[len(s.Bars)-1]
		b.Count += h.Count
		b.Bad += h.Quarantined
		total += h.Count
		most = max(most, b.Count)
	}
	for i := range s.Bars {
		s.Bars[i].stand(most)
	}
	s.Most, s.Total = words.Number(most), words.Number(total)
	s.Title = fmt.Sprintf("%s deliveries in the last %d %ss, at most %s in one %s", s.Total, n, unit, s.Most, unit)
	return s
}

// stand gives the bar its height, of which the least is still to be seen.
func (b *bar) stand(most int) {
	height := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(2, n*(sparkHeight-2)/most)
	}
	b.H, b.BadH = height(b.Count), height(b.Bad)
	b.Y, b.BadY = sparkHeight-1-b.H, sparkHeight-1-b.BadH
}
