package words

import (
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Change says what an event changed, for people. Before or After is empty where it is not known.
type Change struct{ Label, Before, After string }

// Changed puts c into words.
func Changed(c lifecycle.Changed) Change {
	before, after := value(c.Field, c.Before, Minute), value(c.Field, c.After, Minute)
	if before == after {
		before, after = value(c.Field, c.Before, Second), value(c.Field, c.After, Second)
	}
	return Change{Label(c.Field), before, andMore(after, c.More)}
}

// Label returns the name of a change's field, for people.
func Label(field string) string {
	if check, ok := lifecycle.CheckOf(field); ok {
		return "check " + checkShort(check)
	}
	if check, ok := lifecycle.ReasonOf(field); ok {
		return "reason of " + checkShort(check)
	}
	if label := labels(field); label != "" {
		return label
	}
	return spaced(field)
}

// labels names the fields that their code alone does not name; "" of others.
func labels(field string) string {
	switch field {
	case lifecycle.FieldMessage:
		return "message from the CA"
	case lifecycle.FieldOrder:
		return "order"
	case lifecycle.FieldCertificate:
		return "certificate"
	case lifecycle.FieldRevokedAdded:
		return "certificates revoked"
	case lifecycle.FieldRevokedRemoved:
		return "certificates no longer revoked"
	case lifecycle.FieldNotBefore:
		return "valid from"
	case lifecycle.FieldNotAfter:
		return "valid until"
	case lifecycle.FieldKey:
		return "key"
	case lifecycle.FieldFingerprint:
		return "fingerprint"
	case lifecycle.FieldRevokesAt:
		return "revocation due"
	case lifecycle.FieldZone:
		return "zone"
	case lifecycle.FieldDS:
		return "DS"
	case lifecycle.FieldPreviousDS:
		return "old DS"
	case lifecycle.FieldStartedAt:
		return "started"
	case lifecycle.FieldRotatedAt:
		return "completed"
	case lifecycle.FieldEndedAt:
		return "ended"
	case lifecycle.FieldValidatedAt:
		return "validated"
	case lifecycle.FieldExpiresAt:
		return "reusable until"
	case lifecycle.FieldValidation:
		return "validation"
	case lifecycle.FieldTarget:
		return "target"
	case lifecycle.FieldURL:
		return "address"
	case lifecycle.FieldVerifiedAt:
		return "verified"
	case lifecycle.FieldProviderState:
		return "provider's state"
	case lifecycle.FieldDetectedAt:
		return "detected"
	case lifecycle.FieldFixedAt:
		return "fixed"
	case lifecycle.FieldEmail:
		return "e-mail"
	case lifecycle.FieldGroupsAdded:
		return "groups joined"
	case lifecycle.FieldGroupsRemoved:
		return "groups left"
	case lifecycle.FieldKeysAdded:
		return "keys provisioned"
	case lifecycle.FieldKeysRemoved:
		return "keys replaced"
	}
	return ""
}

// value puts a value of the field into words; clock writes its times.
func value(field, v string, clock func(time.Time) string) string {
	if v == "" {
		return ""
	}
	switch field {
	case lifecycle.FieldState:
		return State(v).Word
	case lifecycle.FieldLastReport:
		return spaced(v)
	case lifecycle.FieldNextStep:
		return Step(v).Word
	case lifecycle.FieldAnnounced:
		return YesNo(v == lifecycle.True)
	case lifecycle.FieldMessage:
		return either(v == lifecycle.Unanswered, "unanswered", v)
	case lifecycle.FieldProviderState:
		return ProviderState(v)
	case lifecycle.FieldValidation:
		return strings.ToUpper(v)
	case lifecycle.FieldSeverity:
		if n, err := strconv.Atoi(v); err == nil {
			return Severity(n)
		}
	case lifecycle.FieldNamesAdded, lifecycle.FieldNamesRemoved, lifecycle.FieldCommonName, lifecycle.FieldHost, lifecycle.FieldZone:
		return each(v, schema.DisplayName)
	case lifecycle.FieldFindings:
		return each(v, func(tally string) string {
			severity, n, _ := strings.Cut(tally, ":")
			return severityCount(n, severity)
		})
	case lifecycle.FieldKeysAdded, lifecycle.FieldKeysRemoved:
		return each(v, func(key string) string {
			kind, id, _ := strings.Cut(key, ":")
			return kind + " key " + id
		})
	case lifecycle.FieldRevokesAt, lifecycle.FieldNotBefore, lifecycle.FieldNotAfter, lifecycle.FieldStartedAt, lifecycle.FieldRotatedAt, lifecycle.FieldEndedAt,
		lifecycle.FieldValidatedAt, lifecycle.FieldExpiresAt, lifecycle.FieldVerifiedAt, lifecycle.FieldDetectedAt, lifecycle.FieldFixedAt:
		if t, err := schema.ParseTime(v); err == nil {
			return clock(t.Time)
		}
	}
	return brief(v)
}

// each rewrites every thing of a list by of.
func each(list string, of func(string) string) string {
	things := strings.Split(list, lifecycle.ListSeparator)
	for i := range things {
		things[i] = of(things[i])
	}
	return strings.Join(things, ", ")
}

// brief cuts the long numbers in a text, such as fingerprints, to their beginnings.
func brief(text string) string {
	parts := strings.Split(text, " ")
	for i, part := range parts {
		if len(part) > 20 && strings.Trim(strings.ToLower(part), "0123456789abcdef") == "" {
			parts[i] = part[:12] + "…"
		}
	}
	return strings.Join(parts, " ")
}
