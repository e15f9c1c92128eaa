package ask

import (
	"fmt"
	"time"

	"github.com/certtrail/certtrail/schema"
)

const dnsDecoder = "dns/1"

// Rotation is a rotation of a zone's keys as the DNS must know it.
type Rotation struct {
	Provider   string // the source's name
	WebsiteID  string
	Domain     string // the zone; "" if it is not known: then nothing can be asked
	NextStep   string // "ds-submit", "ds-retract" or another
	DS         *schema.DS
	PreviousDS *schema.DS
}

// Wanted is the DS record whose coming or going the rotation waits for; false if it waits for none that is known.
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

// Found is the event that s, the sighting of Wanted, makes: dnssec.ds_seen once all servers of the parent have the new DS, dnssec.ds_gone once none has
// the old; false while that is not so.
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

// FoundEvent is what Found gave, as an event under id, a UUIDv7, at now.
func FoundEvent(id string, now time.Time, k schema.Kind, d schema.Data) *schema.Event {
	return schema.New(id, Path(d.Provider), schema.At(now), k, d)
}
