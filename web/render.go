package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageTemplate makes the frame around one page when the page is first shown, for a start must not wait for all of them.
type pageTemplate = func() (*template.Template, error)

// thePages returns the pages of the program, made once: what they are made of is part of it.
var thePages = sync.OnceValues(func() (map[string]pageTemplate, error) {
	a, err := theAssets()
	if err != nil {
		return nil, err
	}
	return newPages(a)
})

// newPages makes one set of templates per page, which its file names: all of them share every file; a page's own set
// says which of them stands inside the frame, and a list's, whose file has the template <model>-row, which of them is
// its row.
func newPages(a *assets) (map[string]pageTemplate, error) {
	common, err := template.New("base").Funcs(funcs(a)).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("couldn't parse the pages: %w", err)
	}
	pages := map[string]pageTemplate{}
	add := func(name, glue string) {
		pages[name] = sync.OnceValues(func() (*template.Template, error) {
			t, err := common.Clone()
			if err != nil {
				return nil, err
			}
			return t.Parse(glue)
		})
	}
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	var found strings.Builder // the rows of any list, for the search
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".html")
		switch {
		case common.Lookup(name+"-row") != nil:
			found.WriteString(`{{if eq $model "` + name + `"}}{{template "` + name + `-row" .}}{{end}}`)
			add(name, `{{define "main"}}{{template "list" .}}{{end}}{{define "row"}}{{template "`+name+`-row" .}}{{end}}`)
		case common.Lookup(name) != nil:
			add(name, `{{define "main"}}{{template "`+name+`" .}}{{end}}`)
		}
	}
	_, err = common.Parse(`{{define "found-rows"}}{{$model := .Model}}{{range .Rows}}` + found.String() + `{{end}}{{end}}`)
	return pages, err
}

// funcs returns the functions that templates may call. All return plain values: html/template does the escaping,
// nothing here makes HTML.
func funcs(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset": a.path, "state": view.StateOf, "when": view.When, "until": view.Until, "days": words.Days, "left": words.DaysLeft, "number": view.NumberOf, "idn": schema.DisplayName, "names": view.NamesOf, "orderNames": orderNames,
		"checkName": words.CheckName, "checks": view.ChecksOf, "next": view.NextStepOf, "orderNext": orderNext, "kind": words.Kind, "ds": view.DSText, "dsAlgorithm": view.DSAlgorithm, "dsDigestType": view.DSDigestType, "life": view.LifeOf, "announced": announcedOf, "join": strings.Join, "upper": strings.ToUpper,
		"domainHref": func(name string) string { return "/domains/" + address.Segment(name) },
		"rowHref":    address.RowPath,
		"rowKey": func(model, provider, id string) string {
			return address.RowKey(projections.Key{Model: model, Provider: provider, ID: id})
		},
		"sentence": words.Sentence, "changed": words.Changed, "hex": view.HexGroups, "original": view.OriginalText, "delivery": quarantinedDelivery,
		"day":   func(t schema.Time) string { return words.Day(t.Time) },
		"short": shortID, "keys": keysText, "yesno": words.YesNo, "tallies": talliesOf, "severity": severityOf, "score": scoreText,
		"unprefixed": func(id string) string { return strings.TrimPrefix(id, address.DatabasePrefix) },
	}
}

// render executes the page into memory first, so that a fault in it becomes an error and not half a page.
func (s *Server) render(w http.ResponseWriter, status int, page string, data any) error {
	var b bytes.Buffer
	t, err := s.pages[page]()
	if err == nil {
		err = t.ExecuteTemplate(&b, "base", data)
	}
	if err != nil {
		return fmt.Errorf("couldn't render page %s: %w", page, err)
	}
	if err := answer.Hold(w, b.Len()); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}

// anyModel stands for the Model of a page that any change may change.
const anyModel = "*"

// behindLimit bounds how many events the read models may lack before the pages say so; less is over before a person has
// read it.
const behindLimit = 100

// frame holds the data of base.html, around every page.
type frame struct {
	Title         string
	Nav           string // the current page's entry in the navigation
	Model         string // whose changes make the open page fetch itself anew; rows that it shows do so in any case
	Attention     int
	AttentionMore bool   // there are more than that
	Critical      bool   // one of them is
	Behind        uint64 // events that the read models lack
	Seq           uint64 // what the page shows is at least this far: the browser asks for the changes after it
	Q             string
	Version       string
	Now           time.Time
	HasLog        bool
	ReadOnly      *ReadOnly // not nil: the database is of this moment and nothing changes it
	Still         bool      // the page is of a moment that is over: it is not kept up to date, and its ages stay
	Standing      *standing // of a row's page: the moment it shows
	Reload        int       // seconds after which a browser without JavaScript loads the page again; 0: never

	titles answer.Titles
	raws   int // bytes that deliveries take of the page
}

func (s *Server) titles() answer.Titles {
	t := answer.Titles{}
	for _, p := range s.Providers() {
		t[p.Name] = p.Title
	}
	return t
}

// Source returns the title of a provider.
func (f frame) Source(name string) string { return f.titles.Of(name) }

// frame must be made before the page's own data is read: only then is nothing lost between what the page shows and what
// Seq says of it. It leaves out what it cannot have, since the page inside it fails with the better message.
func (s *Server) frame(ctx context.Context, title, nav string) frame {
	f := frame{Title: title, Nav: nav, Version: s.Version, Now: s.Now(), HasLog: s.Log != nil, ReadOnly: s.ReadOnly, Still: s.ReadOnly != nil, titles: s.titles()}
	status, _, err := s.Store.Status(ctx)
	f.Seq = shownSeq(status)
	for _, st := range status {
		f.Behind = max(f.Behind, st.Lag)
	}
	if f.Behind < behindLimit {
		f.Behind = 0
	}
	if err = errors.Join(err, s.pressing.count(ctx, s.Store, &f)); err != nil && ctx.Err() == nil && !errors.Is(err, projections.ErrRebuilding) {
		s.Logger.Error("couldn't read what every page's frame shows", "error", err)
	}
	return f
}

// shownSeq returns the last event that all read models hold.
func shownSeq(status []projections.Status) (seq uint64) {
	for i, st := range status {
		if i == 0 || st.Seq < seq {
			seq = st.Seq
		}
	}
	return seq
}
