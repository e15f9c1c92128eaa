// Package provider says what a provider is: what the program must know of one, what it delivers, and how it is asked.
package provider

import "github.com/certtrail/certtrail/schema"

// System holds all that the program must know of a kind of provider in order to serve it: one value per folder under
// ingest.
type System struct {
	Kind      string    // folder, route, setting prefix: "digicert"
	Title     string    // for people: "DigiCert CertCentral"
	Settings  []Setting // their names are prefixed with the source's name and a dash
	Addresses []string  // CIDRs the provider publishes for its deliveries; what "documented" means in allow-from
	Howto     string    // one sentence: where a person enters URL and credential at the provider
	Samples   []Sample

	API *API // nil: there is none, or certtrail does not know how to ask it

	// New is a source of this kind with settings as get gives them by name, or nil if a credential it needs is missing.
	New func(get func(setting string) string) Provider
}

// Provider decodes the deliveries of one source. Its methods may be called at once from many goroutines.
type Provider interface {
	// Feeds are the endpoints it delivers to.
	Feeds() []Feed
	// Authenticate tells, in constant time and without looking into the body, whether d bears the right credentials.
	Authenticate(d *Delivery) bool
	// Decode says what d means; the same bytes always mean the same. Data.Original stays empty. An error is a
	// *Quarantine.
	Decode(d *Delivery) (schema.Kind, schema.Data, error)
}

// SecretFinder adds to a Provider the places of secrets that their keys do not give away.
type SecretFinder interface {
	// Secrets are JSON Pointers (RFC 6901) into d's body below which every string and number goes, except names and
	// ids.
	Secrets(d *Delivery) []string
}

// PersonFinder adds to a Provider whom a delivery is about, since some are about a person.
type PersonFinder interface {
	// Person reports whether d is about a person, and who: their name or id at the provider, "" where d does not give
	// one that can be read. What is about a person is stored sealed; where in doubt, also about one that nobody
	// understands, it is.
	Person(d *Delivery) (name string, about bool)
}

// Identifier adds to a Provider the ids that its events have of their own.
type Identifier interface {
	// EventID is the provider's id of the event that d tells of, the same whenever it tells of it again; "" where d has
	// none that can be used.
	EventID(d *Delivery) string
}

// Sender adds to a Provider the credentials that the real one would put on a delivery, for samples.
type Sender interface {
	Sign(d *Delivery)
}

// Handshaker lets a Provider prove to its sender, by a token that comes with a delivery, that an endpoint is ours. The
// token must not be stored.
type Handshaker interface {
	// Handshake is the token of d and the webhook that it is for; both are "" where d bears none.
	Handshake(d *Delivery) (webhookID, token string)
}

// Feed describes one endpoint: /hooks/<source>[-<name>][/{token}].
type Feed struct {
	Name    string   // "" for the provider's first
	Methods []string // the HTTP methods it may use
	Token   bool     // whether the path ends in a token
	Answer  string   // the body of a 200
}

// Setting describes one setting of a provider.
type Setting struct {
	Name       string // without prefix: "webhook-key"
	Usage      string
	Default    string
	Secret     bool
	Credential bool // needed for the provider to be on; init generates one
	AtLeast    int  // how many characters the provider asks for; 0: it does not say
}

// Sample describes a delivery that the provider might send, for `certtrail send`, the demo and tests.
type Sample struct {
	Event  string            // as on the command line: "certificate_issued"
	Params map[string]string // what --set may change, with defaults
	Build  func(p map[string]string) *Delivery
}

// Quarantine says why a delivery with right credentials did not become what it means. It is stored all the same.
type Quarantine struct {
	Event      string // the provider's word for it, as far as it could be read
	Reason     string // a sentence
	Unreadable bool   // true: answered 400; false: well-formed but documented nowhere, answered 200
}

// Error returns the reason.
func (q *Quarantine) Error() string { return q.Reason }
