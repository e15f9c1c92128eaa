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

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/schema"
)

// sendTimeout bounds one delivery; the server holds one for append-wait at most.
const sendTimeout = 30 * time.Second

func sendCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "send PROVIDER EVENT",
		Short: "Send one sample delivery to a running server, as the provider would",
		Long:  "Send one sample delivery to a running server, as the provider would.\n\n" + sampleList(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("send wants a provider and an event, for example: certtrail send digicert certificate_issued")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSettings(cmd.Flags())
			if err != nil {
				return err
			}
			source, err := s.source(args[0])
			if err != nil {
				return err
			}
			d, err := buildSample(source.system, args[1], set)
			if err != nil {
				return err
			}
			p := source.system.New(source.get)
			if p == nil {
				return fmt.Errorf("the source %s is off. %s", source.name, source.howToEnable(s.file))
			}
			base := strings.TrimRight(s.get("hooks-url"), "/")
			if base == "" {
				base = "http://" + s.get("hooks-listen")
			}
			return sendAndTell(cmd.Context(), cmd.OutOrStdout(), base, source.name, p, d)
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "`name=value` to put into the delivery; may be repeated")
	addSettings(cmd)
	return cmd
}

func (s *settings) source(name string) (source, error) {
	var names []string
	for _, one := range s.sources {
		if one.name == name {
			return one, nil
		}
		names = append(names, one.name)
	}
	return source{}, fmt.Errorf("there is no source %q, only %s", name, strings.Join(names, ", "))
}

func buildSample(system schema.System, event string, set []string) (*schema.Delivery, error) {
	i := slices.IndexFunc(system.Samples, func(s schema.Sample) bool { return s.Event == event })
	if i < 0 {
		return nil, fmt.Errorf("%s has no sample %q, only %s", system.Kind, event, strings.Join(sampleEvents(system), ", "))
	}
	sample := system.Samples[i]
	params := maps.Clone(sample.Params)
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if _, known := params[name]; !ok || !known {
			return nil, fmt.Errorf("--set %s: it wants NAME=VALUE, and the sample %s has the names %s", pair, event, strings.Join(slices.Sorted(maps.Keys(sample.Params)), ", "))
		}
		params[name] = value
	}
	return sample.Build(params), nil
}

func sampleEvents(system schema.System) []string {
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

func sendAndTell(ctx context.Context, w io.Writer, base, source string, p schema.Provider, d *schema.Delivery) error {
	status, body, err := deliver(ctx, base, source, p, d)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("the server at %s answered %d: %s", base, status, strings.TrimSpace(string(body)))
	}
	fmt.Fprintf(w, "The server took the delivery (%d).\n", status)
	return nil
}

// deliver sends d over HTTP with the provider's credentials.
func deliver(ctx context.Context, base, source string, p schema.Provider, d *schema.Delivery) (int, []byte, error) {
	sign(p, d)
	feed := p.Feeds()[max(0, slices.IndexFunc(p.Feeds(), func(f schema.Feed) bool { return f.Name == d.Feed }))]
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the whole URL, and that may hold a token
			err = u.Err
		}
		return 0, nil, fmt.Errorf("couldn't reach a server at %s, is `certtrail serve` running there? %w", base, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, body, err
}
