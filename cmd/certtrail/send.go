package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
			s, err := systems.read(cmd.Flags())
			if err != nil {
				return err
			}
			base := strings.TrimRight(s.get("hooks-url"), "/")
			if base == "" {
				base = "http://" + s.get("hooks-listen")
			}
			sent, err := sendSample(cmd.Context(), s.sources, s.file, base, args[0], args[1], set)
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
	systems.addSettings(cmd)
	return cmd
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
	s, err := systems.read(cmd.Flags())
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

func sampleList() string {
	var b strings.Builder
	for _, s := range systems {
		fmt.Fprintf(&b, "%s: %s\n", s.Kind, strings.Join(sampleEvents(s), ", "))
	}
	return b.String()
}
