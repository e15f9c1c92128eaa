package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
)

// formCookie holds a browser's own secret, and formField of every form that changes something holds it again. A page from elsewhere can make a
// browser send the cookie at most, never the field.
const (
	formCookie = "certtrail_form"
	formField  = "form_token"
)

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// errForm is an error about a form that did not come from a page of ours, as far as one can tell.
var errForm = errors.New("this form was not sent from a page of certtrail that this browser has open: load the page again, then try once more")

type formKey struct{}

// formToken is what the forms of the page being made must bear, for {{template "form-token" $}}.
func formToken(ctx context.Context) string {
	token, _ := ctx.Value(formKey{}).(string)
	return token
}

// withForm gives a browser its secret if it has none yet, and the request's context the token of its forms.
func withForm(w http.ResponseWriter, r *http.Request) *http.Request {
	if formToken(r.Context()) != "" { // the page is made for many browsers
		return r
	}
	token := cookieToken(r)
	if token == "" {
		token = rand.Text()
		http.SetCookie(w, &http.Cookie{Name: formCookie, Value: token, Path: "/", MaxAge: 365 * 24 * 60 * 60, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	}
	return r.WithContext(context.WithValue(r.Context(), formKey{}, token))
}

func cookieToken(r *http.Request) string {
	c, err := r.Cookie(formCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// act is a route that changes something. h runs only for a form that a page of ours was sent with: the browser says that it comes from this
// origin, and the form bears the browser's secret. What h returns is answered as page does it.
func (s *Server) act(h handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		have, want := r.PostFormValue(formField), cookieToken(r)
		if err := origin.Check(r); err != nil || want == "" || subtle.ConstantTimeCompare([]byte(have), []byte(want)) != 1 {
			return errForm
		}
		return h(w, r)
	})
}
