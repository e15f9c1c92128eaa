package sample

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// sendTimeout bounds one delivery; the server holds one for append-wait at most.
const sendTimeout = 30 * time.Second

func Build(system provider.System, event string, set []string) (*provider.Delivery, error) {
	i := slices.IndexFunc(system.Samples, func(s provider.Sample) bool { return s.Event == event })
	if i < 0 {
		return nil, fmt.Errorf("%s has no sample %q, only %s", system.Kind, event, strings.Join(Events(system), ", "))
	}
	sample := system.Samples[i]
	params := maps.Clone(sample.Params)
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if _, known := params[name]; !ok || !known {
			return nil, notSettable(sample, name, ok)
		}
		params[name] = value
	}
	return sample.Build(params), nil
}

// notSettable says what --set may name instead.
func notSettable(sample provider.Sample, name string, valued bool) error {
	names := slices.Sorted(maps.Keys(sample.Params))
	switch {
	case len(names) == 0:
		return fmt.Errorf("--set %s: the sample %s has nothing that can be set", name, sample.Event)
	case !valued:
		return fmt.Errorf("--set %s: write it as NAME=VALUE; the sample %s has the names %s", name, sample.Event, strings.Join(names, ", "))
	}
	return fmt.Errorf("--set %s=…: the sample %s has no %s, only %s", name, sample.Event, name, strings.Join(names, ", "))
}

func Events(system provider.System) []string {
	var events []string
	for _, s := range system.Samples {
		events = append(events, s.Event)
	}
	return events
}

// Result reports what became of a sample.
type Result struct {
	Base   string `json:"base"`
	Status int    `json:"status"`
	Body   string `json:"body"`
}

func (s Result) Tell(w io.Writer) error {
	if s.Status >= 300 && s.Status < 400 {
		return fmt.Errorf("the server at %s answered %d, which leads elsewhere, and providers do not follow that: set hooks-url to the address where it leads", s.Base, s.Status)
	}
	if s.Status != http.StatusOK {
		return fmt.Errorf("the server at %s answered %d: %s", s.Base, s.Status, strings.TrimSpace(s.Body))
	}
	fmt.Fprintf(w, "The server took the delivery (%d).\n", s.Status)
	return nil
}

// Send sends a sample to the endpoints at base, with the credentials of the source's settings; file is the settings'
// file.
func Send(ctx context.Context, sources []settings.Source, file, base, name, event string, set []string) (Result, error) {
	source, err := settings.SourceNamed(sources, name)
	if err != nil {
		return Result{}, err
	}
	d, err := Build(source.System, event, set)
	if err != nil {
		return Result{}, err
	}
	p := source.System.New(source.Setting)
	if p == nil {
		return Result{}, fmt.Errorf("the source %s is off. %s", source.Name, source.HowToEnable(file))
	}
	status, body, err := Deliver(ctx, base, source.Name, p, d)
	return Result{base, status, string(body)}, err
}

// ErrUnreached says that nobody listens where a delivery should go.
var ErrUnreached = errors.New("couldn't reach a server")

// Deliver sends d over HTTP with the provider's credentials.
func Deliver(ctx context.Context, base, source string, p provider.Provider, d *provider.Delivery) (int, []byte, error) {
	settings.Sign(p, d)
	feed := p.Feeds()[max(0, slices.IndexFunc(p.Feeds(), func(f provider.Feed) bool { return f.Name == d.Feed }))]
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	target := base + ingest.Path(source, feed, url.PathEscape(d.Token))
	if d.Query != "" {
		target += "?" + d.Query
	}
	req, err := http.NewRequestWithContext(ctx, d.Method, target, bytes.NewReader(d.Body))
	if err != nil {
		return 0, nil, fmt.Errorf("couldn't make the request for %s: %w", source, err)
	}
	for name, values := range d.Header {
		req.Header[name] = values
	}
	// Providers do not follow redirects: where one leads, the delivery is not taken, and its credentials have no
	// business.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the whole URL, and that may hold a token
			err = u.Err
		}
		return 0, nil, fmt.Errorf("%w at %s, is `certtrail serve` running there? %w", ErrUnreached, base, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, body, err
}
