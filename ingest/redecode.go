package ingest

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// Redecoder reads events again from their original deliveries, with the decoders of this program. It is made once,
// never changes, and may be used at once by many goroutines.
type Redecoder struct {
	systems map[string]decoding // by kind
	sources map[string]string   // the kind of each source that is configured, by its name
	keys    people.Keys         // of persons; nil: what is sealed stays as it is
}

// decoding holds what reading a provider's deliveries again needs of its kind.
type decoding struct {
	provider provider.Provider
	feeds    map[string]bool // by name
}

// NewRedecoder makes a Redecoder for the deliveries of the systems. sources are the kinds of the configured sources by
// name; they only tell whose delivery it was if an event does not say. It needs no credential: sources that are off or
// no longer configured are read all the same.
func NewRedecoder(systems []provider.System, sources map[string]string) *Redecoder {
	r := &Redecoder{systems: map[string]decoding{}, sources: sources}
	for _, system := range systems {
		p := system.New(func(string) string { return "any" }) // what its credentials are is no concern of Decode
		if p == nil {
			continue
		}
		feeds := map[string]bool{}
		for _, feed := range p.Feeds() {
			feeds[feed.Name] = true
		}
		r.systems[system.Kind] = decoding{p, feeds}
	}
	return r
}

// WithKeys returns r that also reads what is sealed, as long as the person's key is there, and seals what it finds in
// it.
func (r *Redecoder) WithKeys(keys people.Keys) *Redecoder {
	with := *r
	with.keys = keys
	return &with
}

// Redecode returns e as today's decoder reads its original delivery: the same occurrence (id, source, time, extensions
// and unknown members, provider and original) with a new type, subject and data. It returns e itself where nothing is
// new: e did not come from a hook, has no original (as schema.DecodeMeaning leaves it out), is of a kind of provider
// that nobody knows, or means today what it meant. e is not changed; the same e always gives the same. What was decoded
// when e was made is what is stored, so the same decoder reads the same in it.
func (r *Redecoder) Redecode(e *schema.Event) *schema.Event {
	p, d := r.delivery(e)
	if p == nil {
		return e
	}
	m := understand(p, d)
	if m.data.Decoder == "" || understood(e.Kind()) && isOlder(m.data.Decoder, e.Data.Decoder) {
		return e // a decoder that fails, or one older than the event's, has nothing better to say
	}
	m.data.Provider, m.data.Original = e.Data.Provider, e.Data.Original
	if m.about || e.Data.Original.Sealed != "" {
		if r.keys == nil || people.SealUser(r.keys, e.ID, m.person, &m.data) != nil {
			return e
		}
	}
	if m.kind.Type() == e.Type && sameData(&m.data, &e.Data) {
		return e
	}
	return e.WithMeaning(m.kind, m.data)
}

// delivery returns what e was read from, as it is stored, and who can read it; nil if there is no such.
func (r *Redecoder) delivery(e *schema.Event) (provider.Provider, *provider.Delivery) {
	if e.Data.Original == nil || e.Data.Provider == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(e.Source, FeedPath(e.Data.Provider, provider.Feed{}))
	feed, named := strings.CutPrefix(rest, "-")
	if !ok || rest != "" && (!named || feed == "") {
		return nil, nil
	}
	system, ok := r.system(&e.Data)
	if !ok || !system.feeds[feed] {
		return nil, nil
	}
	original, err := people.OpenOriginal(r.keys, e.Data.Original, e.ID)
	if err != nil { // the person was forgotten
		return nil, nil
	}
	d, err := provider.Redelivery(original, feed)
	if err != nil {
		return nil, nil
	}
	return system.provider, d
}

// system returns that of the decoder that read the event, or else that of the source: a name may have been given to a
// source of another kind since.
func (r *Redecoder) system(d *schema.Data) (decoding, bool) {
	kind, _, _ := strings.Cut(d.Decoder, "/")
	if system, ok := r.systems[kind]; ok {
		return system, true
	}
	if configured, ok := r.sources[d.Provider]; ok {
		system, ok := r.systems[configured]
		return system, ok
	}
	system, ok := r.systems[d.Provider] // the source that bears its kind's name
	return system, ok
}

func understood(k schema.Kind) bool { return k != schema.DeliveryUnrecognized }

// isOlder reports whether decoder a is an older version of decoder b.
func isOlder(a, b string) bool {
	kindA, versionA, _ := strings.Cut(a, "/")
	kindB, versionB, _ := strings.Cut(b, "/")
	if a == b || kindA != kindB {
		return false
	}
	nA, errA := strconv.Atoi(versionA)
	nB, errB := strconv.Atoi(versionB)
	return errA == nil && errB == nil && nA < nB
}

// sameData compares data with the same original.
func sameData(a, b *schema.Data) bool {
	if a.Decoder != b.Decoder || a.Event != b.Event || a.OrderID != b.OrderID { // what is likely to differ, before the slow comparison
		return false
	}
	return reflect.DeepEqual(a, b)
}
