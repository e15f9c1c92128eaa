package web

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/api"
)

func (s *Server) newQuarantine() *list[projections.Quarantined] {
	return &list[projections.Quarantined]{
		s: s,
		List: api.List[projections.Quarantined]{Fixed: true, Find: s.Store.Quarantine, Now: s.Now, Logger: s.Logger,
			Spec:  &projections.Spec{Name: projections.Quarantine, Title: "Quarantine", CSV: []string{"seq", "time", "provider", "reason", "original"}},
			Cells: map[string]func(*projections.Quarantined) string{"original": originalCell}},
		empty: "Nothing is in quarantine, as it should be. A delivery that certtrail cannot read, or whose kind is not documented, is kept here in full with the reason, " +
			"until a later version understands it.",
		columns: []column{{Title: "Event", Class: "seq"}, {Title: "Provider"}, {Title: "Reason and delivery", Class: "name long"}, {Title: "Received", Class: "time"}},
		key: func(x *projections.Quarantined) projections.Key {
			return projections.Key{Model: projections.Quarantine, Provider: x.Provider, ID: strconv.FormatUint(x.Seq, 10)}
		},
	}
}

// originalCell formats the delivery as one line of JSON.
func originalCell(x *projections.Quarantined) string {
	if x.Original == nil {
		return ""
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x.Original); err != nil {
		return "couldn't be written: " + err.Error()
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
