package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/view"
)

// Warning tells of something wrong with the machine, the log or the way to a provider.
type Warning struct {
	Title string // a few words
	Text  string // what happened, and what to do: sentences
	Minor bool   // nothing is lost by it yet
	Href  string // where more stands; ""
}

// warnings returns all that is wrong, those by which deliveries are lost first.
func (s *Server) warnings(ctx context.Context, status []projections.Status, missing *projections.Missing, list []known, now time.Time) []Warning {
	var all []Warning
	if s.Warnings != nil {
		all = s.Warnings(ctx)
	}
	all = append(all, gapWarnings(missing)...)
	all = append(all, keptWarnings(missing.Kept)...)
	for i := range status {
		if why := status[i].Mended; why != "" {
			all = append(all, Warning{Title: "The read models were not what the log gives", Text: words.Sentence(why) + " They were built anew from the log. " +
				"If it happens again, have the disk and the memory of the machine checked.", Minor: true})
		}
		if why := status[i].Torn; why != "" {
			all = append(all, Warning{Title: "The log was damaged or replaced", Text: words.Sentence(why) + " The read models were rebuilt from what it holds. " +
				"If nobody restored a backup, events are missing at its end: reconcile with the providers."})
		}
	}
	if s.ClockTrouble != nil {
		if why := s.ClockTrouble(); why != "" {
			all = append(all, Warning{Title: "Notices of what expires are held back", Text: oneLine(words.Sentence(why))})
		}
	}
	for i := range list {
		if list[i].On {
			all = append(all, list[i].warnings(now)...)
		}
	}
	return all
}

// warnings returns what is wrong with the way to one provider.
func (k *known) warnings(now time.Time) []Warning {
	var list []Warning
	href := "#provider-" + k.Name
	if k.Lost > 0 {
		list = append(list, Warning{Title: k.Title + ": deliveries were lost", Text: fmt.Sprintf(
			"The log could not store %s deliveries. Most providers do not send again, so fetch what is missing: certtrail reconcile %s.", words.Number(k.Lost), k.Name), Href: href})
	}
	if k.silent() {
		list = append(list, Warning{Title: k.Title + " has gone silent", Text: fmt.Sprintf(
			"No delivery has arrived for %s; pauses of more than %s are unusual for it. Check that its webhook is still enabled, and send a test delivery.", words.Duration(k.Silence.For), words.Duration(k.Silence.Usual)), Minor: true, Href: href})
	}
	for _, remark := range k.Remarks {
		list = append(list, Warning{Title: k.Title + " will not accept its credential", Text: remark, Minor: true, Href: href})
	}
	if a := k.Asked; a != nil {
		if a.Circuit == "open" {
			list = append(list, Warning{Title: k.Title + ": its API does not answer", Text: "certtrail leaves it alone " + untilText(view.When(a.Until, now)) + ". " + a.Trouble, Minor: true, Href: href})
		}
		if a.Unreconciled != "" {
			list = append(list, Warning{Title: k.Title + ": the last reconcile failed", Text: a.Unreconciled, Minor: true, Href: href})
		}
		if a.Missed > 0 {
			list = append(list, Warning{Title: k.Title + ": deliveries were missed", Text: words.Sentence(a.Reconciled) +
				" They are in the log now. Find out why they did not arrive: the webhook, the network, or certtrail being down.", Minor: true, Href: href})
		}
	}
	return list
}

func untilText(m view.Moment) string {
	if m.ISO == "" {
		return "for a while"
	}
	return "until " + m.UTC
}

// gapWarnings tell what is gone from the log, and whether the pages still show what came of it.
func gapWarnings(m *projections.Missing) []Warning {
	var list []Warning
	if len(m.Held) > 0 {
		list = append(list, Warning{Title: "Events are gone from the log, but not from the pages", Text: missingText(m.Held) + " The pages still show what came of " +
			pronoun(m.Held) + ", and a replay would lose that: compare with a backup first. " + settleText(m.Held)})
	}
	if lost := m.Gaps.Without(m.Held); len(lost) > 0 {
		list = append(list, Warning{Title: "Events are gone from the log", Text: missingText(lost) + " The pages were built without " +
			pronoun(lost) + ". Restore a backup elsewhere and import from there, or reconcile with the providers. " + settleText(lost)})
	}
	if len(m.Back) > 0 {
		list = append(list, Warning{Title: "The log has events that the pages lack", Text: "They were built while " + rangesText(m.Back) +
			" could not be read. Rebuild them: certtrail replay.", Minor: true})
	}
	return list
}

// settleText says how an operator settles a gap.
func settleText(gaps schema.Gaps) string {
	return "Then settle it: certtrail log accept-gap " + gaps[0].String() + "."
}

// keptWarnings tell of read models that are kept because they know more than the log.
func keptWarnings(files []string) []Warning {
	if len(files) == 0 {
		return nil
	}
	return []Warning{{Title: "Read models that know more than the log are kept", Text: "They are in " + strings.Join(files, " and ") +
		" until the loss is settled. Look at them with certtrail serve --read-only --db " + files[0] + ".", Minor: true}}
}

// missingText returns "2 events are missing from the log (5, 8)."
func missingText(gaps schema.Gaps) string {
	what := " events are"
	if gaps.Events() == 1 {
		what = " event is"
	}
	return words.Number(gaps.Events()) + what + " missing from the log (" + rangesText(gaps) + ")."
}

func pronoun(gaps schema.Gaps) string {
	if gaps.Events() == 1 {
		return "it"
	}
	return "them"
}

// rangesText names the first of the gaps.
func rangesText(gaps schema.Gaps) string {
	const shown = 5
	text := ""
	for i, g := range gaps[:min(len(gaps), shown)] {
		if i > 0 {
			text += ", "
		}
		if text += words.Number(g.First); g.Last > g.First {
			text += " to " + words.Number(g.Last)
		}
	}
	if more := len(gaps) - shown; more > 0 {
		text += fmt.Sprintf(" and %s more ranges", words.Number(more))
	}
	return text
}
