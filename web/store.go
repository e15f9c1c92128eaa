package web

import (
	"github.com/certtrail/certtrail/schema"
)

// Provider shows one source of deliveries on the pages.
type Provider struct {
	Name        string   // "digicert"
	Title       string   // "DigiCert CertCentral"
	On          bool     // its credential is set
	Endpoints   []string // URLs to enter at the provider; a token stands as {token}
	Howto       string   // where to enter them, a sentence
	HowtoEnable []string // the settings to set to turn it on
	SendExample string   // the command that sends a sample of it
	Fills       []string // the read models that its deliveries fill: "orders"; empty: not known, so any of them

	Remarks []string // what is wrong with its settings though it is on, sentences

	Asked  *Asked  // nil: it has no API
	Tokens []Token // of challenges
	Tested *Tested // the last test since the server started; nil: there was none

	LastAt schema.Time // of the last delivery taken; zero: none yet
	// Deliveries since the server started.
	Accepted, Quarantined, Refused, Lost uint64
	RefusedFor                           map[string]uint64 // Refused by the reason, in a few words
}
