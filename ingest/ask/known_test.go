package ask_test

import (
	"testing"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections/lifecycle"
)

// TestStatesAreTheFolds holds the states that rows are selected by against those that the folds give them.
func TestStatesAreTheFolds(t *testing.T) {
	for state, fold := range map[string]string{
		ask.StateExpiring: lifecycle.Expiring, ask.StateExpired: lifecycle.Expired,
		ask.StateOverdue: lifecycle.RotationOverdue, ask.StateCompleted: lifecycle.RotationCompleted,
		ask.ActionRequired: lifecycle.ActionRequired,
	} {
		if state != fold {
			t.Errorf("the state %q is %q in the folds", state, fold)
		}
	}
}
