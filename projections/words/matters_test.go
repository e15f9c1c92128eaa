package words

import (
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

var began = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func from(d time.Duration) *schema.Time { t := schema.At(began.Add(d)); return &t }

// matters makes one of each kind, and several of those kinds that say different things.
func matters() map[string]projections.Matter {
	made := func(kind string, change func(*projections.Matter)) projections.Matter {
		m := projections.Matter{Kind: kind, Provider: "digicert", Since: *from(-time.Hour), AsOf: began, Row: "4711", Number: "4711", About: "xn--bcher-kva.example"}
		if change != nil {
			change(&m)
		}
		return m
	}
	type matter = *projections.Matter
	check := func(name string, state schema.CheckState, reasons ...string) func(matter) {
		return func(m matter) { m.Part, m.Facts.Check, m.Facts.Reasons = name, state, reasons }
	}
	loss := func(cause schema.Cause, last uint64) func(matter) {
		return func(m matter) {
			m.About, m.Number, m.Facts.Loss = "", "", &schema.Loss{Gap: schema.Gap{First: 5, Last: last}, Cause: cause, File: "3.blk"}
		}
	}
	zoneless := func(m matter) { m.About, m.Copy = "", "IN DS 38696 13 2 49FD" }
	return map[string]projections.Matter{
		"check failed":                   made(schema.MatterCheckFailed, check(schema.CheckOrganization, schema.CheckFailed, "not listed")),
		"check of a domain failed":       made(schema.MatterCheckFailed, check(schema.DomainCheck("xn--bcher-kva.example"), schema.CheckFailed)),
		"check that nobody knows failed": made(schema.MatterCheckFailed, check("moon_phase", schema.CheckFailed)),
		"check delayed":                  made(schema.MatterCheckDelayed, check(schema.CheckCSR, schema.CheckDelayed, "It takes long.")),
		"approval":                       made(schema.MatterApproval, check(schema.CheckApproval, schema.CheckPending)),
		"message":                        made(schema.MatterMessage, func(m matter) { m.About = "" }),
		"reissue":                        made(schema.MatterReissue, nil),
		"rejected":                       made(schema.MatterRejected, func(m matter) { m.Facts.Reasons = []string{"not listed", "No answer."} }),
		"revocation announced":           made(schema.MatterRevocationAnnounced, func(m matter) { m.Due, m.Facts.Reasons = from(22*time.Hour), []string{"keyCompromise"} }),
		"revocation in minutes":          made(schema.MatterRevocationAnnounced, func(m matter) { m.Due = from(time.Minute + time.Second) }),
		"revocation without a time":      made(schema.MatterRevocationAnnounced, nil),
		"revocation overdue":             made(schema.MatterRevocationAnnounced, func(m matter) { m.Due = from(0) }),
		"revocation, with a successor":   made(schema.MatterRevocationAnnounced, func(m matter) { m.Due, m.Facts.Successor = from(time.Hour), "4712" }),
		"revocation overdue, with one":   made(schema.MatterRevocationAnnounced, func(m matter) { m.Due, m.Facts.Successor = from(-time.Hour), "4712" }),
		"revoked":                        made(schema.MatterRevoked, func(m matter) { m.Facts.Reasons = []string{"keyCompromise"} }),
		"expires":                        made(schema.MatterExpires, func(m matter) { m.Due = from(25 * time.Hour) }),
		"expired":                        made(schema.MatterExpires, func(m matter) { m.Due = from(-25 * time.Hour) }),
		"domain failed":                  made(schema.MatterDomainFailed, func(m matter) { m.Number, m.Facts.Reasons = "", []string{"no record"} }),
		"domain expired":                 made(schema.MatterDomainExpired, func(m matter) { m.Number, m.Due = "", from(-time.Hour) }),
		"domain lapses":                  made(schema.MatterDomainLapses, func(m matter) { m.Number, m.Due, m.Facts.Renewal = "", from(240*time.Hour), from(720*time.Hour) }),
		"domain due, without a time":     made(schema.MatterDomainLapses, func(m matter) { m.Number = "" }),
		"organization expired":           made(schema.MatterOrganizationExpired, func(m matter) { m.About, m.Due = "Example B.V.", from(-time.Hour) }),
		"organization lapses":            made(schema.MatterOrganizationLapses, func(m matter) { m.About, m.Due = "Example B.V.", from(240*time.Hour) }),
		"organization, without a time":   made(schema.MatterOrganizationLapses, func(m matter) { m.About = "" }),
		"DS to publish":                  made(schema.MatterDSPublish, func(m matter) { m.Number, m.Copy = "", "xn--bcher-kva.example. IN DS 38696 13 2 49FD" }),
		"DS to publish, without a zone":  made(schema.MatterDSPublish, zoneless),
		"DS to publish, overdue":         made(schema.MatterDSPublish, func(m matter) { m.Number, m.Facts.Overdue = "", true }),
		"DS to remove":                   made(schema.MatterDSRetract, nil),
		"DS to remove, without a zone":   made(schema.MatterDSRetract, zoneless),
		"target failed":                  made(schema.MatterTargetFailed, func(m matter) { m.Facts.Reasons = []string{"no file"} }),
		"finding":                        made(schema.MatterFinding, func(m matter) { m.Facts.Finding = "Weak cipher" }),
		"finding without a name":         made(schema.MatterFinding, nil),
		"silent": made(schema.MatterSilent, func(m matter) {
			m.About, m.Number, m.Facts.Silence = "", "", rules.Silence{For: 70 * time.Hour, Usual: 20 * time.Hour, Silent: true}
		}),
		"quarantined": made(schema.MatterQuarantined, func(m matter) {
			m.About, m.Number, m.Part, m.Facts.Reasons = "", "", "7", []string{`The event "a" is documented nowhere.`}
		}),
		"quarantined, of many words": made(schema.MatterQuarantined, func(m matter) {
			m.About, m.Number, m.Part, m.Facts.Reasons = "", "", "8", []string{"the body is not JSON: " + strings.Repeat("ü", 100)}
		}),
		"events lost": made(schema.MatterEventsLost, loss(schema.CauseDamaged, 9)), "an event lost": made(schema.MatterEventsLost, loss(schema.CauseMissing, 5)),
		"the end lost": made(schema.MatterEventsLost, loss(schema.CauseEnd, 6)), "lost, nobody knows how": made(schema.MatterEventsLost, loss(schema.CauseUnknown, 6)),
	}
}

// TestEveryMatterIsWhole: each says what it is and what to do, in whole sentences, and its title tells which it is.
func TestEveryMatterIsWhole(t *testing.T) {
	for name, m := range matters() {
		text := Matter(&m, "DigiCert")
		if text.What == "" || text.Detail == "" || text.Do == "" || !strings.HasPrefix(text.Title, text.What+": ") || !strings.Contains(text.Title, "DigiCert") {
			t.Errorf("%s is not whole: %+v", name, text)
		}
		for _, sentences := range []string{text.Detail, text.Means, text.Do} {
			if sentences != "" && (Sentence(sentences) != sentences && !strings.HasSuffix(sentences, "”.") && !strings.HasSuffix(sentences, ".”") || strings.Contains(sentences, "  ")) {
				t.Errorf("%s: %q is no sentence", name, sentences)
			}
		}
		if m.About != "" && !strings.Contains(text.Title, schema.DisplayName(m.About)) {
			t.Errorf("%s: the title %q does not say what it is about", name, text.Title)
		}
	}
	if text := Matter(&projections.Matter{Kind: "moon_rises", Provider: "x"}, "X"); text.Title != "Moon rises: X" {
		t.Errorf("a kind that nobody knows is %+v", text)
	}
}

func TestTitleOfAMatter(t *testing.T) {
	all := matters()
	for name, want := range map[string]string{
		"revoked":                       "Revoked: bücher.example (DigiCert 4711)",
		"domain expired":                "Validation expired: bücher.example (DigiCert)",
		"message":                       "Message from the CA: DigiCert 4711",
		"silent":                        "Gone silent: DigiCert",
		"check failed":                  "Organization check failed: bücher.example (DigiCert 4711)",
		"check of a domain failed":      "Validation of bücher.example failed: bücher.example (DigiCert 4711)",
		"check delayed":                 "CSR check delayed: bücher.example (DigiCert 4711)",
		"DS to publish, without a zone": "Publish the new DS record: DigiCert website 4711",
		"an event lost":                 "An event is gone from the log: DigiCert 5",
		"events lost":                   "Events are gone from the log: DigiCert 5 to 9",
		"quarantined":                   `Not understood: The event "a" is documented nowhere: DigiCert event 7`,
		"quarantined, of many words":    "Not understood: The body is not JSON: " + strings.Repeat("ü", titleReason-len("The body is not JSON: ")-1) + "…: DigiCert event 8",
	} {
		m := all[name]
		if got := Matter(&m, "DigiCert").Title; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestARevocationThatIsOverdueIsNotToCome: once the time of an announced revocation has passed, its matter does not
// speak of it as of something to come.
func TestARevocationThatIsOverdueIsNotToCome(t *testing.T) {
	for name, over := range map[string]bool{"revocation announced": false, "revocation without a time": false, "revocation, with a successor": false,
		"revocation overdue": true, "revocation overdue, with one": true} {
		m := matters()[name]
		text := Matter(&m, "")
		if toCome := strings.HasPrefix(text.Means, "From then on") || strings.Contains(text.Do, "before the CA revokes it"); toCome == over {
			t.Errorf("%s: %q %q", name, text.Means, text.Do)
		}
		if strings.Contains(text.Do, "successor") != (m.Facts.Successor != "") {
			t.Errorf("%s: what to do is %q", name, text.Do)
		}
	}
}

// TestTheLeastIsCounted: what is left of a certificate is told in days, as its page does.
func TestTheLeastIsCounted(t *testing.T) {
	for left, want := range map[time.Duration]string{time.Hour: "0 days from now", 25 * time.Hour: "1 day from now", 20 * 24 * time.Hour: "20 days from now"} {
		m := projections.Matter{Kind: schema.MatterExpires, Due: from(left), AsOf: began}
		if got := Matter(&m, "").Detail; !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", left, got, want)
		}
	}
}

// TestZoneToBePutBefore: a record without its zone says so.
func TestZoneToBePutBefore(t *testing.T) {
	for name, want := range map[string]bool{"DS to publish": false, "DS to publish, without a zone": true, "DS to remove": false, "DS to remove, without a zone": true} {
		m := matters()[name]
		if got := strings.Contains(Matter(&m, "").Do, "put the zone’s name before it"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestEveryKindIsAMatter: there is a text for each kind that concerns a row, a provider or the log.
func TestEveryKindIsAMatter(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range matters() {
		shown[m.Kind] = true
		if lifecycle.MatterModel(m.Kind) == "" && m.Kind != schema.MatterSilent && m.Kind != schema.MatterQuarantined && m.Kind != schema.MatterEventsLost {
			t.Errorf("%s concerns nothing", m.Kind)
		}
	}
	if len(shown) != 21 {
		t.Errorf("%d kinds are shown, schema has 21", len(shown))
	}
}
