package provider

import (
	"context"
	"io"
	"net/url"
)

// API describes how to query a kind of provider: one value per folder whose provider has an API.
type API struct {
	Settings []Setting // named as a System's are; none of them turns the source on

	// At is where the API is and how it is called, with settings as get gives them by name; false if one that it needs
	// is missing.
	At func(get func(setting string) string) (Endpoint, bool)
	// Client asks through c. What it can be asked tell the interfaces of package ask that it has.
	Client func(c Caller) any

	Commands []Command
}

// Endpoint says where an API is and how it is called.
type Endpoint struct {
	Base      string                            // URL that paths are relative to
	Authorize func(headers map[string][]string) // puts the credentials on a request; names are canonical, as net/http has them
	Secrets   []string                          // the credentials as they go over the wire, which must stand in no error and no answer
	Rate      float64                           // calls a second
	Burst     int                               // calls at once
}

// Caller makes the calls to an API. Its methods may be called at once from many goroutines. An answer of status 400 to
// 499 is a *Refusal.
type Caller interface {
	// JSON sends in, if it is not nil, and reads the answer into out, if that is not nil.
	JSON(ctx context.Context, method, path string, query url.Values, in, out any) error
	// Bytes gets what is no JSON.
	Bytes(ctx context.Context, path string, query url.Values) ([]byte, error)
}

// Command describes a command of a provider's own: certtrail <kind> <Name>.
type Command struct {
	Name  string // one word or more: "webhook create"
	Short string
	Long  string
	Flags []Flag
	Run   func(ctx context.Context, i Invocation) error
}

// Flag describes a flag of a Command. Its value is a text, or for a switch "true" or "false".
type Flag struct {
	Name, Usage string
	Switch      bool
	Required    bool
}

// Invocation holds what a Command is run with.
type Invocation struct {
	Client    any                      // that API.Client gave
	Setting   func(name string) string // of the source, without prefix
	Flag      func(name string) (value string, given bool)
	Endpoints []string // the public URLs of the source's feeds, in their order
	Out       io.Writer
}
