package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/answer"
)

// api answers errors as problem documents.
func (s *Server) api(h answer.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			status, detail := s.judge(w, r, err)
			answer.Problem(w, status, detail)
		}
	})
}

// page answers errors as pages.
func (s *Server) page(h answer.Handler) http.Handler {
	return s.shared(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		status, detail := s.judge(w, r, err)
		p := errorPage{frame: s.frame(r.Context(), http.StatusText(status), ""), Status: status, Detail: detail}
		if answer.NoMoment(r.URL.Query(), "") != nil && r.URL.Path != "/" {
			p.Present = r.URL.EscapedPath()
		}
		if errors.Is(err, answer.ErrDecision) || errors.Is(err, answer.ErrNoMatter) {
			if back := backTo(r.PostForm.Get("back")); back != "/" {
				p.Back = back
			}
		}
		if status == http.StatusServiceUnavailable {
			p.frame.Model = anyModel // so that the page turns into what was asked for as soon as that is there
			p.frame.Reload = retrySeconds
		}
		if errors.Is(err, projections.ErrRebuilding) {
			_, _, p.Rebuild = s.rebuild(r.Context())
			p.Title, p.Behind = "Not yet", 0
		}
		if err := s.render(w, status, "error", p); err != nil {
			s.Logger.Error("could not show an error", "path", r.URL.Path, "error", err)
			http.Error(w, detail, status)
		}
	}))
}

type errorPage struct {
	frame
	Status  int
	Detail  string
	Present string    // the same page as it is now, where another moment was asked for
	Back    string    // the page that a form was sent from; "": the start page, where every error leads to, or none
	Rebuild *progress // what has to be waited for; nil: something else
}

// retrySeconds sets how long a page that has to wait stays in a browser without JavaScript.
const retrySeconds = 2

// judge chooses the status of an error and the sentence that explains it, and logs it if it is a fault of this program.
func (s *Server) judge(w http.ResponseWriter, r *http.Request, err error) (int, string) {
	var methods answer.MethodError
	switch {
	case errors.Is(err, projections.ErrNotFound), errors.Is(err, answer.ErrNoRoute):
		text := err.Error()
		if answer.NoMoment(r.URL.Query(), "") != nil {
			text = strings.Replace(text, projections.ErrNotFound.Error(), "no event about it had arrived by then", 1)
		}
		return http.StatusNotFound, words.Sentence(text)
	case errors.Is(err, projections.ErrNoLog), errors.Is(err, projections.ErrNoPast), errors.Is(err, answer.ErrNoMatter):
		return http.StatusConflict, words.Sentence(err.Error())
	case errors.Is(err, projections.ErrQuery), errors.Is(err, answer.ErrMoment), errors.Is(err, answer.ErrDecision), errors.Is(err, answer.ErrForm):
		return http.StatusBadRequest, words.Sentence(err.Error())
	case errors.Is(err, answer.ErrForeign):
		return http.StatusForbidden, words.Sentence(err.Error())
	case errors.Is(err, projections.ErrRebuilding):
		detail, retry, _ := s.rebuild(r.Context())
		w.Header().Set("Retry-After", strconv.Itoa(retry))
		return http.StatusServiceUnavailable, detail
	case errors.Is(err, answer.ErrBusy), errors.Is(err, answer.ErrFull):
		w.Header().Set("Retry-After", answer.RetryAfter)
		return http.StatusServiceUnavailable, words.Sentence(err.Error())
	case errors.As(err, &methods):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return http.StatusMethodNotAllowed, words.Sentence(err.Error())
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "The server is stopping, or the request was given up."
	}
	s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return http.StatusInternalServerError, "Something failed inside certtrail; its log says what."
}

// missing says which row it is that no event is about; other errors stay as they are.
func (s *Server) missing(err error, what, provider, id string) error {
	if errors.Is(err, projections.ErrNotFound) {
		return fmt.Errorf("%s %s of %s: %w", what, id, s.titles().Of(provider), projections.ErrNotFound)
	}
	return err
}
