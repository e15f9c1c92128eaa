package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
)

const apiPrefix = "/api/v1"

// summarize fills in the summaries of an item's timeline.
func summarize(item any) {
	words.Summarize(projections.RowOf(item).Timeline, words.ForPrograms)
}

func (s *Server) apiDomain(w http.ResponseWriter, r *http.Request) error {
	d, _, err := s.findDomain(r)
	if err != nil {
		return err
	}
	for i := range d.Validations {
		words.Summarize(d.Validations[i].Timeline, words.ForPrograms)
	}
	return answer.JSON(w, http.StatusOK, d)
}

func (s *Server) apiAttention(w http.ResponseWriter, r *http.Request) error {
	a, err := s.Store.Attention(r.Context(), s.Now())
	if err != nil {
		return err
	}
	matters, titles := []Matter{}, s.titles()
	for _, m := range slices.Concat(a.Matters, a.Decided) {
		text := words.Matter(&m, titles.Of(m.Provider))
		matters = append(matters, Matter{ID: m.ID, Severity: m.Severity, Kind: m.Kind, Title: text.Title, Detail: text.Detail, Means: text.Means, Do: text.Do,
			Since: m.Since, Due: m.Due, Copy: m.Copy, Href: s.matterHref(&m), State: m.State, Decision: m.Decision, Provider: m.Provider})
	}
	return answer.Items(w, matters, "")
}

// Matter tells the API's clients of something a person should act on.
type Matter struct {
	ID       string                `json:"id"`       // of this occurrence: the next of its kind has another
	Severity string                `json:"severity"` // critical, warning, notice
	Kind     string                `json:"kind"`     // one of schema's Matter kinds
	Title    string                `json:"title"`
	Detail   string                `json:"detail"` // what happened
	Means    string                `json:"means,omitempty"`
	Do       string                `json:"do"`
	Since    schema.Time           `json:"since"`
	Due      *schema.Time          `json:"due,omitempty"`  // when time runs out
	Copy     string                `json:"copy,omitempty"` // what is to be put somewhere else: a DS record
	Href     string                `json:"href"`
	State    string                `json:"state"` // open, snoozed, taken
	Decision *projections.Decision `json:"decision,omitempty"`
	Provider string                `json:"provider"`
}

type statusJSON struct {
	Version string `json:"version"`
	Stream  struct {
		LastSeq  uint64       `json:"last_seq"`
		Gaps     []schema.Gap `json:"gaps"`          // that no operator has accepted
		GapsHeld []schema.Gap `json:"gaps_held"`     // those of which the read models still hold what the events changed
		Accepted []schema.Gap `json:"gaps_accepted"` // by an operator
		Known    bool         `json:"gaps_known"`    // always, since the log is read whole before it is opened
	} `json:"stream"`
	Kept        []string             `json:"read_models_kept,omitempty"` // files of read models that know more than the log
	Projections []projections.Status `json:"projections"`
	Providers   []providerJSON       `json:"providers"`
	Warnings    []warningJSON        `json:"warnings"`
}

// warningJSON tells of something wrong with the machine, the log or the way to a provider.
type warningJSON struct {
	Severity string `json:"severity"` // critical or warning
	Title    string `json:"title"`
	Detail   string `json:"detail"`
}

type providerJSON struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	On          bool         `json:"on"`
	Endpoints   []string     `json:"endpoints"`
	LastAt      *schema.Time `json:"last_delivery_at,omitempty"`
	Accepted    uint64       `json:"accepted"`
	Quarantined uint64       `json:"quarantined"`
	Refused     uint64       `json:"refused"`
	Lost        uint64       `json:"lost"`

	Silent     bool   `json:"silent"`
	UsualPause uint64 `json:"usual_pause_seconds,omitempty"` // not known where too few deliveries came
}

func (s *Server) apiStatus(w http.ResponseWriter, r *http.Request) error {
	status, missing, err := s.Store.Status(r.Context())
	if err != nil {
		return err
	}
	last, err := s.lastSeq(r.Context(), status)
	if err != nil {
		return err
	}
	a := statusJSON{Version: s.Version, Projections: append([]projections.Status{}, status...), Providers: []providerJSON{}}
	a.Stream.LastSeq, a.Stream.Known = last, true
	a.Stream.Gaps, a.Stream.GapsHeld = append([]schema.Gap{}, missing.Gaps...), append([]schema.Gap{}, missing.Held...)
	a.Stream.Accepted = append([]schema.Gap{}, missing.Accepted...)
	a.Kept = missing.Kept
	now := s.Now()
	known := s.known(r.Context(), now)
	for i := range known {
		p := &known[i]
		j := providerJSON{Name: p.Name, Title: p.Title, On: p.On, Endpoints: append([]string{}, p.Endpoints...),
			Accepted: p.Accepted, Quarantined: p.Quarantined, Refused: p.Refused, Lost: p.Lost,
			Silent: p.silent(), UsualPause: uint64(p.Silence.Usual / time.Second)}
		if !p.LastAt.IsZero() {
			j.LastAt = &p.LastAt
		}
		a.Providers = append(a.Providers, j)
	}
	a.Warnings = []warningJSON{}
	for _, warning := range s.warnings(r.Context(), status, &missing, known, now) {
		severity := projections.Critical
		if warning.Minor {
			severity = projections.Warning
		}
		a.Warnings = append(a.Warnings, warningJSON{severity, warning.Title, warning.Text})
	}
	return answer.JSON(w, http.StatusOK, a)
}

// openapi serves the description of this API, which is written by hand and held against the routes by a test.
func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(s.assets.content["openapi.yaml"])
	return nil
}

// healthz says that the process answers; readyz says whether it is of use.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
	return nil
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) error {
	ok, report := true, any(map[string]string{"status": "ready"})
	if s.Ready != nil {
		ok, report = s.Ready()
	}
	if !ok {
		w.Header().Set("Retry-After", answer.RetryAfter)
		return answer.JSON(w, http.StatusServiceUnavailable, report)
	}
	return answer.JSON(w, http.StatusOK, report)
}
