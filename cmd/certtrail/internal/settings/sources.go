package settings

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// Systems lists the kinds of providers that the program serves.
type Systems []provider.System

// readSources reads the further sources of the settings' file, each with a kind and that kind's settings without
// prefix.
func (systems Systems) readSources(node *yaml.Node) ([]Source, error) {
	if node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: sources is not a list of \"name: {kind: …}\"", node.Line)
	}
	owners := map[string]string{} // the source that has an endpoint, by its path
	for _, s := range systems {
		for _, feed := range Feeds(s) {
			owners[ingest.FeedPath(s.Kind, feed)] = s.Kind
		}
	}
	var list []Source
	err := eachKey(node, func(name, settings *yaml.Node) error {
		s, err := systems.readSource(name, settings)
		if err != nil {
			return err
		}
		for _, feed := range Feeds(s.System) {
			path := ingest.FeedPath(s.Name, feed)
			if owner, taken := owners[path]; taken {
				return fmt.Errorf("line %d: the endpoint %s of the source %s is the source %s's already: choose another name", name.Line, path, s.Name, owner)
			}
			owners[path] = s.Name
		}
		list = append(list, s)
		return nil
	})
	return list, err
}

func (systems Systems) readSource(name, node *yaml.Node) (Source, error) {
	if node.Kind != yaml.MappingNode {
		return Source{}, fmt.Errorf("line %d: the source %s has no settings", node.Line, name.Value)
	}
	var kind string
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "kind" {
			kind = node.Content[i+1].Value
		}
	}
	system, ok := systems.Of(kind)
	if !ok {
		return Source{}, fmt.Errorf("line %d: the source %s has the kind %q, which is not one of %s", name.Line, name.Value, kind, systems.kinds())
	}
	if err := systems.checkSourceName(name); err != nil {
		return Source{}, err
	}
	list := sourceSettings(system)
	known := knownNames(list)
	values := map[string]string{}
	err := eachKey(node, func(key, value *yaml.Node) error {
		if key.Value == "kind" {
			return nil
		}
		return put(values, known, key, value)
	})
	if err != nil {
		return Source{}, err
	}
	for _, s := range list {
		path := values[s.name+"-file"]
		if s.secret && path != "" && values[s.name] == "" {
			secret, err := readSecret(name.Value+"'s "+s.name, path)
			if err != nil {
				return Source{}, err
			}
			values[s.name] = secret
		}
	}
	return Source{name.Value, system, func(setting string) string { return values[setting] }}, nil
}

// checkSourceName refuses a name that could not stand in a path and a subject, or is a kind's.
func (systems Systems) checkSourceName(name *yaml.Node) error {
	if schema.Token(name.Value) != name.Value || name.Value == "" || strings.ToLower(name.Value) != name.Value {
		return fmt.Errorf("line %d: the name of a source is made of a-z, 0-9, - and _; %q is not", name.Line, name.Value)
	}
	for _, s := range systems {
		if name.Value == s.Kind {
			return fmt.Errorf("line %d: the name %s is the built-in source's; choose another", name.Line, name.Value)
		}
	}
	return nil
}

// further reports whether the source stands under sources in the settings' file, beside the one that its kind has
// anyway.
func (s Source) further() bool { return s.Name != s.System.Kind }

// Title names the source as people call it: a further one with its own name, so that two accounts at one CA can be told
// apart.
func (s Source) Title() string {
	if s.further() {
		return s.System.Title + " · " + s.Name
	}
	return s.System.Title
}

// SettingName names a setting of the source in full: "digicert-api-key", or of a further source
// "sources.digicert-eu.api-key".
func (s Source) SettingName(setting string) string {
	if s.further() {
		return "sources." + s.Name + "." + setting
	}
	return s.Name + "-" + setting
}

// SourceNamed returns the one of that name; an error names all that there are.
func SourceNamed(sources []Source, name string) (Source, error) {
	var names []string
	for _, one := range sources {
		if one.Name == name {
			return one, nil
		}
		names = append(names, one.Name)
	}
	return Source{}, fmt.Errorf("there is no source %q, only %s", name, strings.Join(names, ", "))
}

// Of returns the system of that kind.
func (systems Systems) Of(kind string) (provider.System, bool) {
	for _, s := range systems {
		if s.Kind == kind {
			return s, true
		}
	}
	return provider.System{}, false
}

func (systems Systems) kinds() string {
	var list []string
	for _, s := range systems {
		list = append(list, s.Kind)
	}
	return strings.Join(list, ", ")
}

// Remarks says what is wrong with a source's settings though it is on: what its provider would not take.
func (s Source) Remarks() []string {
	var list []string
	for _, setting := range s.System.Settings {
		if n := len(s.Setting(setting.Name)); n > 0 && n < setting.AtLeast {
			list = append(list, fmt.Sprintf("%s has %d characters, but %s requires at least %d: enter a longer one here and at the provider.", s.SettingName(setting.Name), n, s.System.Title, setting.AtLeast))
		}
	}
	return list
}

// Feeds returns the endpoints that a source of the system has, also before it is on.
func Feeds(system provider.System) []provider.Feed {
	return system.New(func(string) string { return "any" }).Feeds()
}

// NoAPI says that the source cannot be asked, and what to do.
func (s Source) NoAPI() error {
	if s.System.API == nil {
		return fmt.Errorf("%s has no API that certtrail can ask", s.Title())
	}
	return fmt.Errorf("the API of %s is not set up: set %s", s.Name, strings.Join(s.APISettings(), " and "))
}

// APISettings returns the full names of the settings without which the API is not asked.
func (s Source) APISettings() []string {
	var names []string
	for _, setting := range s.System.API.Settings {
		if setting.Default == "" {
			names = append(names, s.SettingName(setting.Name))
		}
	}
	return names
}
