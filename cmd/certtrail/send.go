package main

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

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// sendTimeout bounds one delivery; the server holds one for append-wait at most.
const sendTimeout = 30 * time.Second

func sendCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "send PROVIDER EVENT",
		Short: "Send one sample delivery to a running server, as the provider would",
		Long: "Send one sample delivery to a running server, as the provider would: to the one that has the data directory, which knows its address and its\n" +
			"credentials, or by the settings where no server has it or flags say something else.\n\n" + sampleList(),
		Args: wants(2, "a provider and an event, for example: certtrail send digicert certificate_issued"),
		RunE: func(cmd *cobra.Command, args []string) error {
			answered, nobody, err := sendByOwner(cmd, args[0], args[1], set)
			if answered || err != nil {
				return err
			}
			s, err := readSettings(cmd.Flags())
			if err != nil {
				return err
			}
			base := strings.TrimRight(s.get("hooks-url"), "/")
			if base == "" {
				base = "http://" + s.get("hooks-listen")
			}
			sent, err := s.send(cmd.Context(), base, args[0], args[1], set)
			if nobody && errors.Is(err, errUnreached) {
				return fmt.Errorf("%w. Nor does a server have the data directory %s: name that of the one that runs with --data-dir", err, s.get("data-dir"))
			}
			if err != nil {
				return err
			}
			return sent.tell(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "`name=value` to put into the delivery; may be repeated")
	addSettings(cmd)
	return cmd
}

func buildSample(system provider.System, event string, set []string) (*provider.Delivery, error) {
	i := slices.IndexFunc(system.Samples, func(s provider.Sample) bool { return s.Event == event })
	if i < 0 {
		return nil, fmt.Errorf("%s has no sample %q, only %s", system.Kind, event, strings.Join(sampleEvents(system), ", "))
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
		return fmt.Errorf("--set %s: it wants NAME=VALUE, and the sample %s has the names %s", name, sample.Event, strings.Join(names, ", "))
	}
	return fmt.Errorf("--set %s=…: the sample %s has no %s, only %s", name, sample.Event, name, strings.Join(names, ", "))
}

func sampleEvents(system provider.System) []string {
	var events []string
	for _, s := range system.Samples {
		events = append(events, s.Event)
	}
	return events
}

func sampleList() string {
	var b strings.Builder
	for _, s := range systems {
		fmt.Fprintf(&b, "%s: %s\n", s.Kind, strings.Join(sampleEvents(s), ", "))
	}
	return b.String()
}

// sent is what became of a sample.
type sent struct {
	Base   string `json:"base"`
	Status int    `json:"status"`
	Body   string `json:"body"`
}

func (s sent) tell(w io.Writer) error {
	if s.Status >= 300 && s.Status < 400 {
		return fmt.Errorf("the server at %s answered %d, which leads elsewhere, and providers do not follow that: set hooks-url to the address where it leads", s.Base, s.Status)
	}
	if s.Status != http.StatusOK {
		return fmt.Errorf("the server at %s answered %d: %s", s.Base, s.Status, strings.TrimSpace(s.Body))
	}
	fmt.Fprintf(w, "The server took the delivery (%d).\n", s.Status)
	return nil
}

// send sends a sample to the endpoints at base, with the credentials of the source's settings.
func (s *settings) send(ctx context.Context, base, name, event string, set []string) (sent, error) {
	source, err := sourceNamed(s.sources, name)
	if err != nil {
		return sent{}, err
	}
	d, err := buildSample(source.system, event, set)
	if err != nil {
		return sent{}, err
	}
	p := source.system.New(source.get)
	if p == nil {
		return sent{}, fmt.Errorf("the source %s is off. %s", source.name, source.howToEnable(s.file))
	}
	status, body, err := deliver(ctx, base, source.name, p, d)
	return sent{base, status, string(body)}, err
}

// sendByOwner lets the server that has the data directory send to itself. It does not when a flag says where or with what to send. nobody says that it
// would have, had a server had the directory.
func sendByOwner(cmd *cobra.Command, source, event string, set []string) (answered, nobody bool, err error) {
	own := map[string]bool{"set": true, "data-dir": true, "config": true}
	byFlag := false
	cmd.Flags().Visit(func(f *pflag.Flag) { byFlag = byFlag || !own[f.Name] })
	if byFlag {
		return false, false, nil
	}
	s, err := readSettings(cmd.Flags())
	if err != nil {
		return false, false, err
	}
	owner, who, err := findOwner(cmd.Context(), s.get("data-dir"))
	if err != nil {
		return false, true, nil // the settings may lead to a server elsewhere
	}
	defer owner.close()
	if !who.Serving {
		return false, true, nil
	}
	var result sent
	if err := owner.call(cmd.Context(), http.MethodPost, "/send", url.Values{"source": {source}, "event": {event}, "set": set}, nil, nil, &result); err != nil {
		return true, false, err
	}
	return true, false, result.tell(cmd.OutOrStdout())
}

// send is the route that sends a sample to the server's own endpoints.
func (o *owner) send(ctx context.Context, _ *answer, r *http.Request) (any, error) {
	q := r.URL.Query()
	s := &settings{sources: o.c.sources, file: o.c.file}
	return s.send(ctx, o.endpoints, q.Get("source"), q.Get("event"), q["set"])
}

// errUnreached says that nobody listens where a delivery should go.
var errUnreached = errors.New("couldn't reach a server")

// deliver sends d over HTTP with the provider's credentials.
func deliver(ctx context.Context, base, source string, p provider.Provider, d *provider.Delivery) (int, []byte, error) {
	sign(p, d)
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
	// Providers do not follow redirects: where one leads, the delivery is not taken, and its credentials have no business.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the whole URL, and that may hold a token
			err = u.Err
		}
		return 0, nil, fmt.Errorf("%w at %s, is `certtrail serve` running there? %w", errUnreached, base, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, body, err
}
