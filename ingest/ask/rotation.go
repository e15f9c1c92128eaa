package ask

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

const dnsDecoder = "dns/1"

// Rotation holds what the DNS must know of a rotation of a zone's keys.
type Rotation struct {
	Provider   string // the source's name
	WebsiteID  string
	Domain     string // the zone; "" if it is not known: then nothing can be asked
	NextStep   string // "ds-submit", "ds-retract" or another
	DS         *schema.DS
	PreviousDS *schema.DS
}

// Wanted returns the DS record whose coming or going the rotation waits for; false if it waits for none that is known.
func (r Rotation) Wanted() (schema.DS, bool) {
	ds := r.DS
	if r.NextStep == "ds-retract" {
		ds = r.PreviousDS
	}
	if r.Domain == "" || ds == nil || r.NextStep != "ds-submit" && r.NextStep != "ds-retract" {
		return schema.DS{}, false
	}
	return *ds, true
}

// Found returns the event that s, the sighting of Wanted, makes: dnssec.ds_seen once all servers of the parent have the
// new DS, dnssec.ds_gone once none has the old; false while that is not so.
func (r Rotation) Found(s Sighting) (schema.Kind, schema.Data, bool) {
	ds, waits := r.Wanted()
	var kind schema.Kind
	var reason string
	switch {
	case waits && r.NextStep == "ds-submit" && s.State == DSSeen:
		kind, reason = schema.DNSSECDSSeen, fmt.Sprintf("All %d name servers of %s have it. Resolvers may not see it for another %s.", len(s.Servers), s.Parent, s.TTL)
	case waits && r.NextStep == "ds-retract" && s.State == DSGone:
		kind, reason = schema.DNSSECDSGone, fmt.Sprintf("None of the %d name servers of %s has it.", len(s.Servers), s.Parent)
	default:
		return "", schema.Data{}, false
	}
	return kind, schema.Data{Provider: r.Provider, Event: kind.Name(), Decoder: dnsDecoder, WebsiteID: r.WebsiteID, Domain: r.Domain, DS: &ds, Reason: reason}, true
}

// FoundEvent makes an event of what Found gave, under id, a UUIDv7, at now.
func FoundEvent(id string, now time.Time, k schema.Kind, d schema.Data) *schema.Event {
	return schema.New(id, Path(d.Provider), schema.At(now), k, d)
}

// Says tells in a sentence what s, a sighting, says of the rotation's records.
func (r Rotation) Says(s Sighting) string {
	fresh, old, other, none, silent := 0, 0, 0, 0, 0
	for _, server := range s.Servers {
		has := func(ds *schema.DS) bool {
			return ds != nil && slices.ContainsFunc(server.DS, func(one schema.DS) bool { return sameDS(one, *ds) })
		}
		switch {
		case server.Err != "":
			silent++
			continue
		case len(server.DS) == 0:
			none++
			continue
		}
		if has(r.DS) {
			fresh++
		}
		if has(r.PreviousDS) {
			old++
		}
		if !has(r.DS) && !has(r.PreviousDS) {
			other++
		}
	}
	said := fmt.Sprintf("Of the %s of %s", plural(len(s.Servers), "name server"), s.Parent)
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{fresh, "the new DS record"}, {old, "the old one"}, {other, "others only"}, {none, "no DS record"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s %s", part.n, hasHave(part.n), part.what))
		}
	}
	if silent > 0 {
		parts = append(parts, fmt.Sprintf("%d gave no answer", silent))
	}
	return said + ", " + strings.Join(parts, ", ") + "."
}

func hasHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// Refused tells whether whoever validates DNSSEC refuses the zone: its parent vouches for it by DS records, and on
// every server that has some, none of them is of a key that the zone still has. Until a rotation is completed that is
// the old key's or the new one's, from then on the new one's only. Where one of those is not known it is not refused:
// nobody can tell.
func (r Rotation) Refused(s Sighting, completed bool) bool {
	if r.DS == nil || !completed && r.PreviousDS == nil {
		return false
	}
	vouched := false
	for _, server := range s.Servers {
		if server.Err != "" || len(server.DS) == 0 {
			continue
		}
		vouched = true
		if slices.ContainsFunc(server.DS, func(one schema.DS) bool { return sameDS(one, *r.DS) || !completed && sameDS(one, *r.PreviousDS) }) {
			return false
		}
	}
	return vouched
}
