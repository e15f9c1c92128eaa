package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/schema"
)

// catalog is the list of kinds of providers that the program serves.
type catalog []schema.System

// readSources reads the further sources of the settings' file, each with a kind and that kind's settings without prefix.
func (systems catalog) readSources(node *yaml.Node) ([]source, error) {
	if node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: sources is not a list of \"name: {kind: …}\"", node.Line)
	}
	owners := map[string]string{} // the source that has an endpoint, by its path
	for _, s := range systems {
		for _, feed := range feeds(s) {
			owners[ingest.FeedPath(s.Kind, feed)] = s.Kind
		}
	}
	var list []source
	err := eachKey(node, func(name, settings *yaml.Node) error {
		s, err := systems.readSource(name, settings)
		if err != nil {
			return err
		}
		for _, feed := range feeds(s.system) {
			path := ingest.FeedPath(s.name, feed)
			if owner, taken := owners[path]; taken {
				return fmt.Errorf("line %d: the endpoint %s of the source %s is the source %s's already: choose another name", name.Line, path, s.name, owner)
			}
			owners[path] = s.name
		}
		list = append(list, s)
		return nil
	})
	return list, err
}

func (systems catalog) readSource(name, node *yaml.Node) (source, error) {
	if node.Kind != yaml.MappingNode {
		return source{}, fmt.Errorf("line %d: the source %s has no settings", node.Line, name.Value)
	}
	var kind string
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "kind" {
			kind = node.Content[i+1].Value
		}
	}
	system, ok := systems.of(kind)
	if !ok {
		return source{}, fmt.Errorf("line %d: the source %s has the kind %q, which is none of %s", name.Line, name.Value, kind, systems.kinds())
	}
	if err := systems.checkSourceName(name); err != nil {
		return source{}, err
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
		return source{}, err
	}
	for _, s := range list {
		path := values[s.name+"-file"]
		if s.secret && path != "" && values[s.name] == "" {
			secret, err := readSecret(name.Value+"'s "+s.name, path)
			if err != nil {
				return source{}, err
			}
			values[s.name] = secret
		}
	}
	return source{name.Value, system, func(setting string) string { return values[setting] }}, nil
}

// checkSourceName refuses a name that could not stand in a path and a subject, or is a kind's.
func (systems catalog) checkSourceName(name *yaml.Node) error {
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

// further tells whether the source stands under sources in the settings' file, beside the one that its kind has anyway.
func (s source) further() bool { return s.name != s.system.Kind }

// title is the source as people call it: of a further one with its name, so that two accounts at one CA can be told apart.
func (s source) title() string {
	if s.further() {
		return s.system.Title + " · " + s.name
	}
	return s.system.Title
}

// settingName is where a setting of the source is set: "digicert-api-key", or of a further source "sources.digicert-eu.api-key".
func (s source) settingName(setting string) string {
	if s.further() {
		return "sources." + s.name + "." + setting
	}
	return s.name + "-" + setting
}

// sourceNamed is the one of that name; an error names all that there are.
func sourceNamed(sources []source, name string) (source, error) {
	var names []string
	for _, one := range sources {
		if one.name == name {
			return one, nil
		}
		names = append(names, one.name)
	}
	return source{}, fmt.Errorf("there is no source %q, only %s", name, strings.Join(names, ", "))
}

// of returns the system of that kind.
func (systems catalog) of(kind string) (schema.System, bool) {
	for _, s := range systems {
		if s.Kind == kind {
			return s, true
		}
	}
	return schema.System{}, false
}

func (systems catalog) kinds() string {
	var list []string
	for _, s := range systems {
		list = append(list, s.Kind)
	}
	return strings.Join(list, ", ")
}

// remarks are what is wrong with a source's settings though it is on: what its provider would not take.
func (s source) remarks() []string {
	var list []string
	for _, setting := range s.system.Settings {
		if n := len(s.get(setting.Name)); n > 0 && n < setting.AtLeast {
			list = append(list, fmt.Sprintf("%s has %d characters, and %s takes none of fewer than %d: set a longer one here and there.", s.settingName(setting.Name), n, s.system.Title, setting.AtLeast))
		}
	}
	return list
}

// feeds are the endpoints that a source of the system has, also before it is on.
func feeds(system schema.System) []schema.Feed {
	return system.New(func(string) string { return "any" }).Feeds()
}

// noAPI says that the source cannot be asked, and what to do.
func (s source) noAPI() error {
	if s.system.API == nil {
		return fmt.Errorf("%s has no API that certtrail can ask", s.title())
	}
	return fmt.Errorf("the API of %s is not set up: set %s", s.name, strings.Join(s.apiSettings(), " and "))
}

// apiSettings are the full names of the settings without which the API is not asked.
func (s source) apiSettings() []string {
	var names []string
	for _, setting := range s.system.API.Settings {
		if setting.Default == "" {
			names = append(names, s.settingName(setting.Name))
		}
	}
	return names
}
