package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// saidText is an event's summary as a page shows it: its dates and names stand in the log's words, which are those of programs.
func saidText(summary string) string {
	words := strings.Split(summary, " ")
	for i := 1; i < len(words); i++ {
		word := strings.TrimSuffix(words[i], ":")
		switch colon := words[i][len(word):]; words[i-1] {
		case "until", "for":
			if t, err := time.Parse(time.DateOnly, word); err == nil {
				words[i] = dayText(t) + colon
			}
		case "Domain", "domain", "Target":
			words[i] = schema.DisplayName(word) + colon
		}
	}
	return strings.Join(words, " ")
}

// changedText is what an event changed as a page shows it. Its Field stays what data-then goes by.
func changedText(c projections.Changed) projections.Changed {
	c.Before, c.After = valueText(c.Field, c.Before), valueText(c.Field, c.After)
	if about, name, ok := strings.Cut(c.Field, " domain "); ok {
		c.Field = about + " " + schema.DisplayName(name)
	}
	return c
}

func valueText(field, value string) string {
	switch field {
	case "state":
		if value != "" {
			return stateOf(strings.ReplaceAll(value, " ", "_")).Word
		}
	case "provider's state":
		if value == "notfixed" { // as Probely writes it
			return "not fixed"
		}
	case "validation":
		return strings.ToUpper(value)
	case "severity":
		if n, err := strconv.Atoi(value); err == nil {
			return severityOf(n).Word
		}
	case "names added", "names removed", "common name", "host", "zone":
		names := strings.Split(value, ", ")
		for i := range names {
			names[i] = schema.DisplayName(names[i])
		}
		return strings.Join(names, ", ")
	}
	if t, err := time.Parse("2006-01-02 15:04 MST", value); err == nil {
		return t.Format("2 Jan 2006, 15:04 UTC")
	}
	return brief(value)
}
