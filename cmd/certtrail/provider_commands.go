package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/provider"
)

// providerCommands returns the commands that providers' folders bring: certtrail <kind> <name…>.
func providerCommands() []*cobra.Command {
	var list []*cobra.Command
	for _, system := range systems {
		if system.API == nil || len(system.API.Commands) == 0 {
			continue
		}
		top := group(system.Kind, "Manage certtrail's webhooks in "+system.Title)
		for _, c := range system.API.Commands {
			words := strings.Fields(c.Name)
			parentCommand(top, words[:len(words)-1]).AddCommand(providerCommand(system, c, words[len(words)-1]))
		}
		list = append(list, top)
	}
	return list
}

// parentCommand returns the command below top that the words name, and makes it if there is none.
func parentCommand(top *cobra.Command, words []string) *cobra.Command {
	for _, word := range words {
		var next *cobra.Command
		for _, c := range top.Commands() {
			if c.Name() == word {
				next = c
			}
		}
		if next == nil {
			next = group(word, "Commands about a "+word)
			top.AddCommand(next)
		}
		top = next
	}
	return top
}

func providerCommand(system provider.System, c provider.Command, name string) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: c.Short, Long: c.Long, Args: cobra.NoArgs}
	for _, f := range c.Flags {
		if f.Switch {
			cmd.Flags().Bool(f.Name, false, f.Usage)
		} else {
			cmd.Flags().String(f.Name, "", f.Usage)
		}
		if f.Required {
			if err := cmd.MarkFlagRequired(f.Name); err != nil {
				panic(err) // it was added just now
			}
		}
	}
	sourceName := cmd.Flags().String("source", system.Kind, "the source, where there are several of "+system.Title)
	settings.AddAPISettings(cmd, system)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := systems.Read(cmd.Flags())
		if err != nil {
			return err
		}
		conf, err := s.Config()
		if err != nil {
			return err
		}
		source, err := settings.SourceNamed(conf.Sources, *sourceName)
		if err != nil {
			return err
		}
		if source.System.Kind != system.Kind {
			return fmt.Errorf("the source %s is not of the kind %s", source.Name, system.Kind)
		}
		a, err := node.APIOf(source)
		if err != nil {
			return err
		}
		if a == nil {
			return source.NoAPI()
		}
		return c.Run(cmd.Context(), provider.Invocation{
			Client: a.Client, Setting: source.Setting, Endpoints: conf.Endpoints(source), Out: cmd.OutOrStdout(),
			Flag: func(name string) (string, bool) { f := cmd.Flags().Lookup(name); return f.Value.String(), f.Changed },
		})
	}
	return cmd
}
