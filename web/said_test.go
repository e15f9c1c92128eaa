package web

import (
	"testing"

	"github.com/certtrail/certtrail/projections"
)

func TestSaidText(t *testing.T) {
	for summary, want := range map[string]string{
		"Issued certificate 881001 until 2027-05-25":                            "Issued certificate 881001 until 25 May 2027",
		"Revocation of certificate 3 announced for 2026-11-29: seen 2026-11-01": "Revocation of certificate 3 announced for 29 Nov 2026: seen 2026-11-01",
		"Domain xn--bcher-kva.example validated until 2027-06-08":               "Domain bücher.example validated until 8 Jun 2027",
		"Domain *.xn--bcher-kva.example check failed: xn--bcher-kva.example":    "Domain *.bücher.example check failed: xn--bcher-kva.example",
		"until":          "until",
		"Taken: until":   "Taken: until",
		"":               "",
		"until tomorrow": "until tomorrow",
	} {
		if got := saidText(summary); got != want {
			t.Errorf("%q is %q, want %q", summary, got, want)
		}
	}
}

func TestChangedText(t *testing.T) {
	for change, want := range map[projections.Changed]projections.Changed{
		{Field: "state", Before: "rotation completed", After: "rotation started"}:       {Field: "state", Before: "rotation completed", After: "rotation under way"},
		{Field: "state", After: "action required"}:                                      {Field: "state", After: "action required"},
		{Field: "severity", Before: "10", After: "30"}:                                  {Field: "severity", Before: "low", After: "high"},
		{Field: "valid until", After: "2027-05-25 16:21 UTC"}:                           {Field: "valid until", After: "25 May 2027, 16:21 UTC"},
		{Field: "names added", After: "xn--bcher-kva.example, a.example"}:               {Field: "names added", After: "bücher.example, a.example"},
		{Field: "check domain xn--bcher-kva.example", After: "passed"}:                  {Field: "check bücher.example", After: "passed"},
		{Field: "provider's state", Before: "notfixed", After: "fixed"}:                 {Field: "provider's state", Before: "not fixed", After: "fixed"},
		{Field: "fingerprint", After: "11593c9eab954debcd83ec4032e8b48d351c7ce737726e"}: {Field: "fingerprint", After: "11593c9eab95…"},
	} {
		if got := changedText(change); got != want {
			t.Errorf("%+v is %+v, want %+v", change, got, want)
		}
	}
}
