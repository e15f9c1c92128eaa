package settings

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/ingest/provider"
)

// annotation marks the flags that are settings, which a command has in common with the environment and the file.
const annotation = "setting"

// IsFlag reports whether a flag is a setting, or else the command's own.
func IsFlag(f *pflag.Flag) bool { return f.Annotations[annotation] != nil }

// AddSettings gives cmd a flag for every setting.
func (systems Systems) AddSettings(cmd *cobra.Command) {
	addFlags(cmd, systems.all())
}

// ownerSettings lists the settings that matter to who works on the data directory and serves nothing.
var ownerSettings = []string{"data-dir", "max-bytes", "sync", "log-level"}

// AddOwnerSettings gives cmd the flags of ownerSettings; all other settings are read from the environment and the file
// as ever.
func AddOwnerSettings(cmd *cobra.Command) {
	addFlags(cmd, slices.DeleteFunc(slices.Clone(programSettings), func(s setting) bool { return !slices.Contains(ownerSettings, s.name) }))
}

// AddAPISettings gives cmd the flags that matter to who asks a provider's API; all other settings are read from the
// environment and the file as ever.
func AddAPISettings(cmd *cobra.Command, system provider.System) {
	var list []setting
	for _, p := range system.API.Settings {
		list = append(list, setting{name: system.Kind + "-" + p.Name, usage: p.Usage, standard: p.Default, secret: p.Secret})
	}
	addFlags(cmd, list)
}

func addFlags(cmd *cobra.Command, list []setting) {
	flags := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.String("config", "", "the settings file (default ./"+DefaultFile+" if it exists)")
	for _, s := range list {
		flags.String(s.name, s.standard, s.usage)
		if s.secret {
			flags.String(s.name+"-file", "", "a file that holds "+s.name)
		}
	}
	flags.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{annotation: {f.Name}} })
	cmd.Flags().AddFlagSet(flags)
	cmd.Flags().SortFlags = false
}
