package sectigo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// maxParams bounds how many parameters a push may have; a dozen are documented.
const maxParams = 200

// params holds a push's parameters in the order they came. url.Values would not do: which of two spellings of a name
// counts must not be chance.
type params []param

type param struct{ name, value string }

// errNoObject reports JSON that cannot hold parameters, but is well-formed.
var errNoObject = errors.New("the body is JSON, but not an object with parameters")

// parameters returns those of the body, then those of the query. The page says GET or POST and shows a table of
// parameters, but not how a POST encodes them: a form is likeliest, and the other two usual ways cost little.
func parameters(d *provider.Delivery) (params, error) {
	var ps params
	body := bytes.TrimPrefix(d.Body, []byte("\ufeff"))
	media, options, _ := mime.ParseMediaType(d.Get("Content-Type")) // one that cannot be read is as if absent
	first := bytes.TrimSpace(body)
	var err error
	switch {
	case len(first) == 0:
	case media == "multipart/form-data":
		err = ps.addParts(body, options["boundary"])
	case strings.HasSuffix(media, "json") || first[0] == '{' || first[0] == '[':
		err = ps.addJSON(body)
	default:
		err = ps.addForm(string(body))
	}
	if err != nil {
		return nil, err
	}
	return ps, ps.addForm(d.Query)
}

func (ps *params) add(name, value string) error {
	if len(*ps) == maxParams {
		return fmt.Errorf("there are more than %d parameters", maxParams)
	}
	*ps = append(*ps, param{name, strings.TrimSpace(strings.ToValidUTF8(value, "\ufffd"))})
	return nil
}

func (ps *params) addForm(form string) error {
	for pair := range strings.SplitSeq(form, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(rawName)
		value, errValue := url.QueryUnescape(rawValue)
		if errName != nil || errValue != nil {
			return errors.New("the parameters cannot be read: they have a broken percent escape")
		}
		if err := ps.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (ps *params) addJSON(body []byte) error {
	var object map[string]provider.Text
	switch err := json.Unmarshal(body, &object); {
	case err != nil && isSyntax(err):
		return fmt.Errorf("the body is not JSON: %w", err)
	case err != nil || object == nil:
		return errNoObject
	}
	for _, name := range slices.Sorted(maps.Keys(object)) { // sorted, so that the same bytes mean the same
		if err := ps.add(name, string(object[name])); err != nil {
			return err
		}
	}
	return nil
}

func (ps *params) addParts(body []byte, boundary string) error {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var value []byte
		if err == nil {
			value, err = io.ReadAll(part) // never more than body
		}
		if err != nil {
			return errors.New("the parts of the body cannot be read")
		}
		if err := ps.add(part.FormName(), string(value)); err != nil {
			return err
		}
	}
}

// get returns the first parameter of that name, in any case, that has a value.
func (ps params) get(name string) string {
	for _, p := range ps {
		if p.value != "" && strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}
