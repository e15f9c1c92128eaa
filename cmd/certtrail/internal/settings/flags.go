package settings

import (
	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/ingest/provider"
)

// addSettings gives cmd a flag for every setting.
func (systems Systems) AddSettings(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "the settings' file (default ./"+DefaultFile+" if it exists)")
	for _, s := range systems.all() {
		cmd.Flags().String(s.name, s.standard, s.usage)
		if s.secret {
			cmd.Flags().String(s.name+"-file", "", "a file that holds "+s.name)
		}
	}
	cmd.Flags().SortFlags = false
}

// ownerSettings are the settings that matter to who works on the data directory and serves nothing.
var ownerSettings = []string{"data-dir", "max-bytes", "sync", "log-level"}

// addOwnerSettings gives cmd the flags of ownerSettings; all other settings are read from the environment and the file as ever.
func AddOwnerSettings(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "the settings' file (default ./"+DefaultFile+" if it exists)")
	for _, s := range programSettings {
		for _, name := range ownerSettings {
			if s.name == name {
				cmd.Flags().String(s.name, s.standard, s.usage)
			}
		}
	}
	cmd.Flags().SortFlags = false
}

// addAPISettings gives cmd the flags that matter to who asks a provider's API; all other settings are read from the environment and the file as ever.
func AddAPISettings(cmd *cobra.Command, system provider.System) {
	cmd.Flags().String("config", "", "the settings' file (default ./"+DefaultFile+" if it exists)")
	for _, p := range system.API.Settings {
		cmd.Flags().String(system.Kind+"-"+p.Name, p.Default, p.Usage)
		if p.Secret {
			cmd.Flags().String(system.Kind+"-"+p.Name+"-file", "", "a file that holds "+system.Kind+"-"+p.Name)
		}
	}
	cmd.Flags().SortFlags = false
}
