package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
)

func sendCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "send PROVIDER EVENT",
		Short: "Send one sample delivery to a running server, as the provider would",
		Long: "Send one sample delivery to a running server, as the provider would: to the one that has the data directory, which knows its address and its\n" +
			"credentials, or by the settings where no server has it or flags say something else.\n\n" + sampleList(),
		Args: needs(2, "a provider and an event, for example: certtrail send digicert certificate_issued"),
		RunE: func(cmd *cobra.Command, args []string) error {
			answered, nobody, err := sendByOwner(cmd, args[0], args[1], set)
			if answered || err != nil {
				return err
			}
			s, err := systems.Read(cmd.Flags())
			if err != nil {
				return err
			}
			sent, err := sample.Send(cmd.Context(), s.Sources, s.File, s.HooksURL(), args[0], args[1], set)
			if nobody && errors.Is(err, sample.ErrUnreached) {
				return fmt.Errorf("%w. Nor does a server have the data directory %s: name that of the one that runs with --data-dir", err, s.Get("data-dir"))
			}
			if err != nil {
				return err
			}
			return sent.Tell(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "`name=value` to put into the delivery; may be repeated")
	systems.AddSettings(cmd)
	return cmd
}

// sendByOwner lets the server that has the data directory send to itself. It does not when a flag says where or with
// what to send. nobody says that it would have, had a server had the directory.
func sendByOwner(cmd *cobra.Command, source, event string, set []string) (answered, nobody bool, err error) {
	own := map[string]bool{"set": true, "data-dir": true, "config": true}
	byFlag := false
	cmd.Flags().Visit(func(f *pflag.Flag) { byFlag = byFlag || !own[f.Name] })
	if byFlag {
		return false, false, nil
	}
	s, err := systems.Read(cmd.Flags())
	if err != nil {
		return false, false, err
	}
	owner, who, err := owner.Find(cmd.Context(), s.Get("data-dir"))
	if err != nil {
		return false, true, nil // the settings may lead to a server elsewhere
	}
	defer owner.Close()
	if !who.Serving {
		return false, true, nil
	}
	var result sample.Result
	if err := owner.Call(cmd.Context(), http.MethodPost, "/send", url.Values{"source": {source}, "event": {event}, "set": set}, nil, nil, &result); err != nil {
		return true, false, err
	}
	return true, false, result.Tell(cmd.OutOrStdout())
}

func sampleList() string {
	var b strings.Builder
	for _, s := range systems {
		fmt.Fprintf(&b, "%s: %s\n", s.Kind, strings.Join(sample.Events(s), ", "))
	}
	return b.String()
}
