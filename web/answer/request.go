package answer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
)

// PathVar returns a variable of the route, unescaped. The router matches escaped paths, so that an id may contain a
// slash.
func PathVar(r *http.Request, name string) (string, error) {
	v, err := url.PathUnescape(mux.Vars(r)[name])
	if err != nil {
		return "", Wrong("the address has a broken escape: %v", err)
	}
	return v, nil
}

// PathKey returns the provider and the id of the row that the route names.
func PathKey(r *http.Request, idName string) (provider, id string, err error) {
	if provider, err = PathVar(r, "provider"); err != nil {
		return "", "", err
	}
	id, err = PathVar(r, idName)
	return provider, id, err
}

// ErrMoment marks every error in at_seq or at, which wraps it. Its text is for the person who asked.
var ErrMoment = errors.New("there is no such moment")

// ReadMoment returns what at_seq or at ask for: the present where neither is given.
func ReadMoment(r *http.Request, now time.Time) (projections.Moment, error) {
	m := projections.Moment{Now: now}
	v := r.URL.Query()
	seq, at := strings.TrimSpace(v.Get("at_seq")), strings.TrimSpace(v.Get("at"))
	blank := v.Has("at_seq") && v.Has("at") && seq+at == "" // a form whose fields were left empty
	for name, value := range map[string]string{"at_seq": seq, "at": at} {
		if v.Has(name) && value == "" && !blank {
			return m, fmt.Errorf("%w: %s is empty: give it a value, or leave it out for the present", ErrMoment, name)
		}
	}
	switch {
	case seq != "" && at != "":
		return m, fmt.Errorf("%w: give at_seq or at, not both", ErrMoment)
	case seq != "":
		n, err := strconv.ParseUint(seq, 10, 64)
		if err != nil {
			return m, fmt.Errorf("%w: at_seq must be the sequence of an event, not %q", ErrMoment, seq)
		}
		if n == 0 {
			return m, projections.ErrNotFound // sequences begin at 1
		}
		m.Seq = n
	case at != "":
		t, err := readTime(at)
		if err != nil {
			return m, fmt.Errorf("%w: at must be a time such as 2026-11-19T09:12:00Z, or a date, not %q", ErrMoment, at)
		}
		if t.IsZero() {
			return m, projections.ErrNotFound // the year 1
		}
		m.Time = t.Time
	}
	return m, nil
}

// readTime reads what schema.ParseTime reads, what a browser's form for a time gives, and a zone whose plus sign the
// address made a space.
func readTime(s string) (schema.Time, error) {
	if t, err := time.Parse("2006-01-02T15:04", s); err == nil {
		return schema.At(t), nil
	}
	if i := strings.LastIndexByte(s, ' '); i == len(s)-len(" 01:00") && i > len("2006-01-02") {
		s = s[:i] + "+" + s[i+1:]
	}
	return schema.ParseTime(s)
}

// NoMoment refuses at_seq and at where they would be overlooked.
func NoMoment(v url.Values, what string) error {
	if v.Get("at_seq") != "" || v.Get("at") != "" {
		return fmt.Errorf("%w: %s is only known as it is now; one row can be asked for as of then", ErrMoment, what)
	}
	return nil
}

const DefaultSort = "-last_event_at"

// ReadQuery reads the parameters that every list takes.
func ReadQuery(v url.Values, now time.Time) (projections.Query, error) {
	q := projections.Query{Cursor: v.Get("cursor"), Q: strings.TrimSpace(v.Get("q")), Provider: v.Get("provider"),
		State: v.Get("state"), Sort: v.Get("sort"), Now: now}
	var err error
	if q.ExpiresFrom, err = readBound(v, address.ExpiresFrom); err != nil {
		return q, err
	}
	if q.ExpiresUntil, err = readBound(v, address.ExpiresUntil); err != nil {
		return q, err
	}
	q.Limit, err = readLimit(v)
	return q, err
}

// readLimit returns 0 where no limit is given, which the store takes for its default.
func readLimit(v url.Values) (int, error) {
	text := v.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > projections.MaxLimit {
		return 0, Wrong("limit must be a number from 1 to %d, not %q", projections.MaxLimit, text)
	}
	return n, nil
}
