package settings

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"go.yaml.in/yaml/v3"
)

// settingsFile holds what certtrail.yaml says.
type settingsFile struct {
	Values  map[string]string
	sources []Source
}

func (systems Systems) ReadFile(path string) (*settingsFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("couldn't read the settings: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s is not YAML: %w", path, err)
	}
	f := &settingsFile{Values: map[string]string{}}
	if len(doc.Content) == 0 {
		return f, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: line %d: the settings are not a list of \"name: value\"", path, root.Line)
	}
	known := knownNames(systems.all())
	err = eachKey(root, func(key, value *yaml.Node) (err error) {
		if key.Value == "sources" {
			f.sources, err = systems.readSources(value)
			return err
		}
		return put(f.Values, known, key, value)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// eachKey gives take each key of a mapping with its value. A key that stands twice is an error: which of the two
// counts, nobody could tell.
func eachKey(mapping *yaml.Node, take func(key, value *yaml.Node) error) error {
	lines := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if before, twice := lines[key.Value]; twice {
			return fmt.Errorf("line %d: %s stands in line %d already", key.Line, key.Value, before)
		}
		lines[key.Value] = key.Line
		if err := take(key, mapping.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func knownNames(list []setting) map[string]bool {
	known := map[string]bool{}
	for _, s := range list {
		known[s.name] = true
		if s.secret {
			known[s.name+"-file"] = true
		}
	}
	return known
}

// put takes one line of the file.
func put(values map[string]string, known map[string]bool, key, value *yaml.Node) error {
	if !known[key.Value] {
		return fmt.Errorf("line %d: there is no setting %q%s", key.Line, key.Value, text.DidYouMean(key.Value, slices.Collect(maps.Keys(known))))
	}
	switch value.Kind {
	case yaml.ScalarNode:
		if value.Tag != "!!null" {
			values[key.Value] = value.Value
		}
		return nil
	case yaml.SequenceNode:
		var items []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return fmt.Errorf("line %d: an entry of %s is not a plain value", item.Line, key.Value)
			}
			items = append(items, item.Value)
		}
		values[key.Value] = strings.Join(items, ",")
		return nil
	}
	return fmt.Errorf("line %d: %s is neither a value nor a list of values", value.Line, key.Value)
}
