package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
)

// The geometry of the columns, in units of the drawing.
const (
	columnPitch  = 20
	columnWidth  = 15
	columnsLeft  = 44 // room for the numbers of the scale
	columnsTop   = 30 // room for the marks' words
	columnsHigh  = 180
	columnsTotal = columnsLeft + weeks*columnPitch + 8
	columnsDeep  = columnsTop + columnsHigh + 26
)

// columnChart is columns stacked of what each CA's certificates are.
type columnChart struct {
	Width, Height, Left, Right, Base int
	Total                            int
	Columns                          []stack
	Lines                            []scaleLine
	Months                           []label
	Marks                            []chartMark
	Keys                             []key
	Most                             string // a sentence: which week has the most
}

// stack is one column: a week.
type stack struct {
	Week  string // "25 Nov to 1 Dec 2026"
	Href  string
	X     int
	Total int
	Parts []part
	Cells []int // by provider, for the table
	Tell  string
}

// part is one CA's share of a column.
type part struct {
	Class string
	Y, H  string
}

type scaleLine struct {
	Y    int
	Text string
}

type label struct {
	X    int
	Text string
}

// chartMark is a day on which something changes.
type chartMark struct {
	X    string
	Text string
	End  bool // its words stand to the left of it
}

// key is what a colour stands for.
type key struct {
	Class, Title string
	Total        int
}

// columnsOf draws what ends in each week from today on.
func columnsOf(f *frame, today time.Time, found *projections.CertificateExpiry, limits []Limit) columnChart {
	c := columnChart{Width: columnsTotal, Height: columnsDeep, Left: columnsLeft, Right: columnsTotal - 8, Base: columnsTop + columnsHigh}
	for i, p := range found.Providers {
		c.Keys = append(c.Keys, key{shade(i), f.Source(p), 0})
	}
	most, at := 0, 0
	for i, counts := range found.Spans {
		s := weekStack(i, today, counts, c.Keys)
		for j, n := range counts {
			c.Keys[j].Total += n
		}
		c.Total += s.Total
		if s.Total > most {
			most, at = s.Total, i
		}
		c.Columns = append(c.Columns, s)
	}
	top := scaleTop(most)
	for i := range c.Columns {
		c.Columns[i].stackUp(top)
	}
	for _, n := range []int{top / 2, top} {
		c.Lines = append(c.Lines, scaleLine{c.Base - n*columnsHigh/top, number(n)})
	}
	if most > 1 { // else no week has most
		c.Most = "Most end in the week from " + c.Columns[at].Week + ": " + number(most) + "."
	}
	c.months(today)
	for _, l := range limits {
		c.mark(today, l)
	}
	return c
}

func weekStack(i int, today time.Time, counts []int, keys []key) stack {
	from := today.AddDate(0, 0, 7*i)
	s := stack{Week: from.Format("2 Jan") + " to " + dayText(from.AddDate(0, 0, 6)), Href: endingHref(from, from.AddDate(0, 0, 7)), X: columnsLeft + i*columnPitch, Cells: counts}
	var told []string
	for j, n := range counts {
		if s.Total += n; n > 0 {
			told = append(told, keys[j].Title+" "+number(n))
		}
	}
	if s.Tell = s.Week + ": none"; s.Total > 0 {
		s.Tell = s.Week + ": " + number(s.Total) + " (" + strings.Join(told, ", ") + ")"
	}
	return s
}

// stackUp gives every part its place, with top as the highest that a column can be.
func (s *stack) stackUp(top int) {
	below := 0
	for j, n := range s.Cells {
		if n == 0 {
			continue
		}
		h := max(float64(n*columnsHigh)/float64(top), 1) // one among many can still be seen
		below += n
		s.Parts = append(s.Parts, part{shade(j), decimal(columnsTop + columnsHigh - float64(below*columnsHigh)/float64(top)), decimal(h)})
	}
}

// scaleTop is a round number that is not below n, which halves without a rest.
func scaleTop(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, m := range []int{2, 4, 6, 10} {
			if unit*m >= n {
				return unit * m
			}
		}
	}
}

// months writes each month under its first day.
func (c *columnChart) months(today time.Time) {
	for i := range 13 {
		first := time.Date(today.Year(), today.Month()+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		x := columnsLeft + int(first.Sub(today)/(24*time.Hour))*columnPitch/7
		if x < columnsLeft || x > columnsTotal-30 {
			continue
		}
		text := first.Format("Jan")
		if first.Month() == time.January {
			text = first.Format("Jan 2006")
		}
		c.Months = append(c.Months, label{x, text})
	}
}

// mark marks the day from which a limit holds, if the picture shows it.
func (c *columnChart) mark(today time.Time, l Limit) {
	after := l.From.Sub(today)
	if after < 0 || after >= weeks*week {
		return
	}
	x := columnsLeft + after.Hours()/24*columnPitch/7
	c.Marks = append(c.Marks, chartMark{decimal(x), "from " + dayText(l.From) + ": " + strconv.Itoa(l.Validity) + " days at most", x > columnsTotal*2/3})
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// The geometry of the heat map.
const (
	heatPitch = 19
	heatLeft  = 34
	heatTop   = 20
)

// heatMap is a year's days, a column a week.
type heatMap struct {
	Width, Height int
	Total         int
	Days          []heatDay
	Months        []label
	Weeks         []heatWeek // for the table: those in which any validation ends
	Steps         []heatStep
}

type heatDay struct {
	X, Y  int
	Class string
	Href  string // "" where none ends
	Tell  string
}

type heatWeek struct {
	Week, Href string
	Count      int
}

// heatStep says from how many on a day has a colour.
type heatStep struct {
	Class, Text string
}

// heatSteps is how many colours the days have, beside the one for none.
const heatSteps = 4

// heatOf draws what ends on each day from first on, a Monday; counts of days before today are not shown.
func heatOf(first, today time.Time, counts []int) heatMap {
	m := heatMap{Width: heatLeft + weeks*heatPitch + 4, Height: heatTop + 7*heatPitch}
	most := 0
	for i, n := range counts {
		if !first.AddDate(0, 0, i).Before(today) {
			most = max(most, n)
		}
	}
	size := max(1, (most+heatSteps-1)/heatSteps)
	for i, n := range counts {
		day := first.AddDate(0, 0, i)
		if day.Before(today) {
			continue
		}
		if i%7 == 0 || day.Equal(today) {
			m.Weeks = append(m.Weeks, heatWeek{Week: day.Format("2 Jan") + " to " + dayText(monday(day).AddDate(0, 0, 6)), Href: lapsingHref(day, monday(day).AddDate(0, 0, 7))})
		}
		m.Weeks[len(m.Weeks)-1].Count += n
		m.Total += n
		d := heatDay{X: heatLeft + i/7*heatPitch, Y: heatTop + i%7*heatPitch, Class: "h0", Tell: day.Format("2 Jan") + ": " + number(n)}
		if n > 0 {
			d.Class, d.Href = "h"+strconv.Itoa((n+size-1)/size), lapsingHref(day, day.AddDate(0, 0, 1))
		}
		if day.Day() == 1 {
			m.Months = append(m.Months, label{d.X, day.Format("Jan")})
		}
		m.Days = append(m.Days, d)
	}
	for i := 1; i <= heatSteps && (i-1)*size < most; i++ {
		m.Steps = append(m.Steps, heatStep{"h" + strconv.Itoa(i), rangeText((i-1)*size+1, i*size)})
	}
	return m
}

func rangeText(from, to int) string {
	if from == to {
		return number(from)
	}
	return number(from) + "–" + number(to)
}
