package words

import (
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func TestEveryCheckIsExplained(t *testing.T) {
	for _, name := range []string{schema.CheckCSR, schema.CheckOrganization, schema.CheckPhone, schema.CheckWhois, schema.CheckBrand, schema.CheckApproval,
		schema.CheckIssuance, schema.DomainCheck("www.example.com")} {
		said := map[string]bool{}
		for _, state := range []schema.CheckState{schema.CheckFailed, schema.CheckDelayed, schema.CheckPending, schema.CheckPassed} {
			text := Check(name, state)
			if said[text.Happened] || text.Happened == "" || text.Means == "" || text.Next == "" || (text.Do == "") != (state == schema.CheckPassed) {
				t.Errorf("%s %s is %+v", name, state, text)
			}
			said[text.Happened] = true
		}
	}
	if got := Check("moon_phase", schema.CheckFailed); got.Happened == "" {
		t.Errorf("a check that nobody knows is %+v", got)
	}
}
