// Package picture draws the charts of expiries and deliveries: places and sizes, which templates make SVG of.
package picture

import (
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
)

// The geometry of the columns: across in percent, so that they fit any screen while their words stay as large as they
// are, and down in pixels.
const (
	columnPitch = 100.0 / Weeks
	columnWidth = columnPitch * 3 / 4
	columnsTop  = 30 // room for the marks' words
	columnsHigh = 180
	columnsDeep = columnsTop + columnsHigh + 26
	monthsEnd   = 97 // beyond which no month is named, for want of room
	monthsFew   = 80 // and beyond which none is on a small screen, which has room for every third
)

// ColumnChart stacks each CA's certificates in columns.
type ColumnChart struct {
	Height, Base int
	Pitch, Thick string // of a column
	Total        int
	Columns      []stack
	Lines        []scaleLine
	Months       []monthName
	Marks        []chartMark
	Keys         []key
	Most         string // a sentence: which week has the most
}

// stack draws one column: a week.
type stack struct {
	Week  string // "25 Nov to 1 Dec 2026"
	Href  string
	X     string
	Total int
	Parts []part
	Cells []int // by provider, for the table
	Tell  string
}

// part draws one CA's share of a column.
type part struct {
	Class string
	Y, H  string
}

type scaleLine struct {
	Y    int
	Text string
}

// monthName labels a month under its first day.
type monthName struct {
	X, Text string
	Many    bool // a small screen has no room for it too
}

// chartMark marks a day on which something changes.
type chartMark struct {
	X      string
	Text   string
	Anchor string // where of its words it stands: start, middle or end
}

// key explains a colour.
type key struct {
	Class, Title string
	Total        int
}

// ColumnsOf draws what ends in each week from today on.
func ColumnsOf(t answer.Titles, today time.Time, found *projections.CertificateExpiry, limits []rules.Limit) ColumnChart {
	c := ColumnChart{Height: columnsDeep, Base: columnsTop + columnsHigh, Pitch: share(columnPitch), Thick: share(columnWidth)}
	for i, p := range found.Providers {
		c.Keys = append(c.Keys, key{shade(i), t.Of(p), 0})
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
		c.Lines = append(c.Lines, scaleLine{c.Base - n*columnsHigh/top, words.Number(n)})
	}
	if most > 1 { // else no week has most
		c.Most = "Most end in the week from " + c.Columns[at].Week + ": " + words.Number(most) + "."
	}
	c.months(today)
	for _, l := range limits {
		c.mark(today, l)
	}
	return c
}

func weekStack(i int, today time.Time, counts []int, keys []key) stack {
	from := today.AddDate(0, 0, 7*i)
	s := stack{Week: from.Format("2 Jan") + " to " + words.Day(from.AddDate(0, 0, 6)), Href: endingHref(from, from.AddDate(0, 0, 7)), X: share(float64(i) * columnPitch), Cells: counts}
	var told []string
	for j, n := range counts {
		if s.Total += n; n > 0 {
			told = append(told, keys[j].Title+" "+words.Number(n))
		}
	}
	if s.Tell = s.Week + ": none"; s.Total > 0 {
		s.Tell = s.Week + ": " + words.Number(s.Total) + " (" + strings.Join(told, ", ") + ")"
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

// scaleTop returns a round number that is not below n, which halves without a rest.
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
func (c *ColumnChart) months(today time.Time) {
	for i := range 13 {
		first := time.Date(today.Year(), today.Month()+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		x := first.Sub(today).Hours() / week.Hours() * columnPitch
		if x < 0 || x > monthsEnd {
			continue
		}
		text := first.Format("Jan")
		if first.Month() == time.January {
			text = first.Format("Jan 2006")
		}
		c.Months = append(c.Months, monthName{share(x), text, len(c.Months)%3 > 0 || x > monthsFew})
	}
}

// mark marks the day from which a limit holds, if the picture shows it.
func (c *ColumnChart) mark(today time.Time, l rules.Limit) {
	after := l.From.Sub(today)
	if after < 0 || after >= Weeks*week {
		return
	}
	x := after.Hours() / week.Hours() * columnPitch
	anchor := "middle" // a screen of 320 pixels has room for the words, then
	switch {
	case x < 25:
		anchor = "start"
	case x > 66:
		anchor = "end"
	}
	c.Marks = append(c.Marks, chartMark{share(x), "from " + words.Day(l.From) + ": " + strconv.Itoa(l.Validity) + " days at most", anchor})
}

// share formats a length across the columns.
func share(percent float64) string { return strconv.FormatFloat(percent, 'f', 2, 64) + "%" }

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// The geometry of the heat map, which across is that of the columns.
const (
	heatPitch = 19 // down
	heatTop   = 20
)

// HeatMap shows a year's days, a column a week.
type HeatMap struct {
	Height int
	Total  int
	Days   []heatDay
	Months []monthName
	Weeks  []heatWeek // for the table: those in which any validation ends
	Steps  []heatStep
}

type heatDay struct {
	X     string
	Y     int
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

// heatSteps counts the colours of the days, beside the one for none.
const heatSteps = 4

// HeatOf draws what ends on each day from first on, a Monday; counts of days before today are not shown.
func HeatOf(first, today time.Time, counts []int) HeatMap {
	m := HeatMap{Height: heatTop + 7*heatPitch}
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
			m.Weeks = append(m.Weeks, heatWeek{Week: day.Format("2 Jan") + " to " + words.Day(Monday(day).AddDate(0, 0, 6)), Href: lapsingHref(day, Monday(day).AddDate(0, 0, 7))})
		}
		m.Weeks[len(m.Weeks)-1].Count += n
		m.Total += n
		d := heatDay{X: share(float64(i/7) * columnPitch), Y: heatTop + i%7*heatPitch, Class: "h0", Tell: day.Format("2 Jan") + ": " + words.Number(n)}
		if n > 0 {
			d.Class, d.Href = "h"+strconv.Itoa((n+size-1)/size), lapsingHref(day, day.AddDate(0, 0, 1))
		}
		if day.Day() == 1 {
			m.Months = append(m.Months, monthName{d.X, day.Format("Jan"), len(m.Months)%2 > 0})
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
		return words.Number(from)
	}
	return words.Number(from) + "–" + words.Number(to)
}

// Weeks bounds how far the pictures of expiries look ahead.
const Weeks = 52

const week = 7 * 24 * time.Hour

// Monday returns the Monday of t's week.
func Monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

// endingHref links to the list of the certificates that end in a time, soonest first.
func endingHref(from, until time.Time) string {
	return address.With("certificates", nil, address.ExpiresFrom, address.DateParam(from), address.ExpiresUntil, address.DateParam(until), "state", "valid", "sort", "not_after")
}

// lapsingHref links to the list of the validations that end in a time.
func lapsingHref(from, until time.Time) string {
	return address.With("domains", nil, address.ExpiresFrom, address.DateParam(from), address.ExpiresUntil, address.DateParam(until))
}

// shade returns the class of a provider's colour: which it is stays the same as long as the providers do.
func shade(i int) string { return "c" + strconv.Itoa(i%shades) }

// shades counts the colours that pictures.css has for what a picture is stacked of.
const shades = 6
