// Package ingest is the edge: it takes what providers deliver over HTTP and appends it to the log, redacted, before it
// answers.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// The limits of the edge, unless Options say otherwise.
const (
	DefaultMaxBody    = 1 << 20 // bytes
	DefaultAppendWait = 10 * time.Second
	DefaultBodyWait   = 15 * time.Second
)

// Log takes events. Append may be called at once by many goroutines, and returns when the event is durable.
type Log interface {
	Append(ctx context.Context, e *schema.Event) (seq uint64, err error)
}

// Limiter says whether one more delivery may be taken now.
type Limiter interface{ Allow() bool }

// Source describes one source of deliveries and its endpoints.
type Source struct {
	Name      string            // "digicert": its endpoints are /hooks/digicert…
	Provider  provider.Provider // nil: the source is off
	Feeds     []provider.Feed   // that the source would have if it were on; of one that is on its Provider tells
	Enable    string            // how to turn it on, a sentence
	AllowFrom []netip.Prefix    // where deliveries may come from; empty: from anywhere
	Secrets   []string          // its credentials, which must not stand in what is stored
	Limit     Limiter           // nil: no limit

	redactor *redact.Redactor
	counts   counts
}

// Options configures a Handler.
type Options struct {
	Sources        []*Source
	Log            Log
	Keys           people.Keys   // of persons; nil: deliveries about a person are not taken
	MaxBody        int64         // bytes; 0: DefaultMaxBody
	AppendWait     time.Duration // how long a delivery is held for the log to come back; 0: DefaultAppendWait
	BodyWait       time.Duration // how long a body may take to come; 0: DefaultBodyWait
	TrustedProxies []netip.Prefix
	Now            func() time.Time
	Logger         *slog.Logger

	// Handshake is told of a challenge that was taken, with its token, which is stored nowhere. It must not wait. nil:
	// nobody is told.
	Handshake func(source, webhookID, token string)
}

// Handler answers all endpoints of all sources.
type Handler struct {
	o        Options
	fixed    map[string]http.HandlerFunc // by path, where no part of it varies: most deliveries, and the router copies each request twice
	router   *mux.Router
	inFlight *bound // deliveries
	held     *bound // bytes of their bodies
}

// New makes a handler for the sources of o.
func New(o Options) *Handler {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.AppendWait == 0 {
		o.AppendWait = DefaultAppendWait
	}
	if o.BodyWait == 0 {
		o.BodyWait = DefaultBodyWait
	}
	h := &Handler{
		o: o, fixed: map[string]http.HandlerFunc{}, router: mux.NewRouter().SkipClean(true), inFlight: newBound(maxInFlight), held: newBound(maxHeld),
	}
	for _, s := range o.Sources {
		s.redactor = redact.New(s.Secrets)
		h.route(s)
	}
	h.router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { noEndpoint(w) })
	return h
}

func (h *Handler) route(s *Source) {
	if s.Provider == nil {
		off := func(w http.ResponseWriter, r *http.Request) {
			s.counts.refused(RefusedOff).Add(1)
			problem(w, http.StatusNotFound, "The source "+s.Name+" is off. "+s.Enable)
		}
		for _, feed := range s.Feeds {
			h.router.HandleFunc(FeedPath(s.Name, feed), off)
			h.router.PathPrefix(FeedPath(s.Name, feed) + "/").HandlerFunc(off)
		}
		return
	}
	for _, feed := range s.Provider.Feeds() {
		receive := func(w http.ResponseWriter, r *http.Request) { h.receive(w, r, s, feed) }
		if path := Path(s.Name, feed, "{token}"); feed.Token {
			h.router.HandleFunc(path, receive)
		} else {
			h.fixed[path] = receive
		}
	}
}

// Path returns the path of a source's feed; token ends it if the feed has one.
func Path(source string, feed provider.Feed, token string) string {
	path := FeedPath(source, feed)
	if feed.Token {
		path += "/" + token
	}
	return path
}

// FeedPath returns the path of a source's feed without a token: events name it as their source.
func FeedPath(source string, feed provider.Feed) string {
	path := "/hooks/" + source
	if feed.Name != "" {
		path += "-" + feed.Name
	}
	return path
}

// ServeHTTP answers one request. A slash at the end of its path counts for nothing: people enter endpoints with one.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := strings.TrimSuffix(r.URL.Path, "/"); path != "" && path != r.URL.Path {
		address := *r.URL
		address.Path, address.RawPath = path, ""
		r = r.WithContext(r.Context()) // which copies it
		r.URL = &address
	}
	if receive := h.fixed[r.URL.Path]; receive != nil {
		receive(w, r)
		return
	}
	h.router.ServeHTTP(w, r)
}

// receive takes one delivery: is it allowed, what does it mean, append it, answer.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, s *Source, feed provider.Feed) {
	received := h.o.Now()
	d := &provider.Delivery{Feed: feed.Name, Method: r.Method, Token: mux.Vars(r)["token"], Query: r.URL.RawQuery, Header: r.Header}
	if !h.allowed(w, r, s, feed, d) {
		return
	}
	body, release, ok := h.body(w, r, s)
	defer release()
	if !ok {
		return
	}
	if !h.inFlight.take(s.Name, 1) { // only now: whose body is slow keeps nobody out
		h.noRoom(w, s, "Too many deliveries are waiting for the log already.")
		return
	}
	defer h.inFlight.give(s.Name, 1)
	d.Body = body
	e, quarantine, err := h.event(s, feed, d, received)
	if err == nil {
		err = h.append(r.Context(), e)
	}
	if err != nil {
		s.counts.lost.Add(1)
		h.o.Logger.Error("a delivery was not taken; the provider may not send it again, so a reconcile is due", "source", s.Name, "error", err)
		unavailable(w, "The log cannot take the delivery now. Send it again later.")
		return
	}
	if e.Data.Decoder != ownDecoder {
		s.counts.took(received, quarantine != nil)
	}
	if p, ok := s.Provider.(provider.Handshaker); ok && quarantine == nil && h.o.Handshake != nil {
		if webhook, token := p.Handshake(d); token != "" {
			h.o.Handshake(s.Name, webhook, token)
		}
	}
	h.answer(w, s, feed, quarantine)
}

// allowed reports whether a delivery may be taken, as far as its head says, and answers one that may not.
func (h *Handler) allowed(w http.ResponseWriter, r *http.Request, s *Source, feed provider.Feed, d *provider.Delivery) bool {
	if !slices.Contains(feed.Methods, r.Method) {
		w.Header().Set("Allow", strings.Join(feed.Methods, ", "))
		h.refuse(w, r, s, http.StatusMethodNotAllowed, RefusedMethod, fmt.Sprintf("This endpoint takes %s, not %s.", strings.Join(feed.Methods, " and "), r.Method))
		return false
	}
	if len(s.AllowFrom) > 0 {
		client, err := clientAddr(r, h.o.TrustedProxies)
		if err != nil || !within(s.AllowFrom, client) {
			h.refuse(w, r, s, http.StatusForbidden, RefusedAddress, "Deliveries of "+s.Name+" are not taken from this address. See the setting "+s.Name+"-allow-from.")
			return false
		}
	}
	switch {
	case s.Provider.Authenticate(d):
	case feed.Token:
		h.refuse(w, r, s, http.StatusNotFound, RefusedCredentials, noSuchEndpoint)
		return false
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="certtrail"`)
		h.refuse(w, r, s, http.StatusUnauthorized, RefusedCredentials, "The credentials of the delivery are missing or wrong.")
		return false
	}
	if s.Limit != nil && !s.Limit.Allow() {
		w.Header().Set("Retry-After", "1")
		h.refuse(w, r, s, http.StatusTooManyRequests, RefusedRate, "Deliveries of "+s.Name+" come faster than its rate limit allows. Send it again later.")
		return false
	}
	return true
}

// refuse answers, counts and logs a delivery that is not kept. The request's path stands nowhere, for it may end in a
// token.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, s *Source, status int, why, detail string) {
	s.counts.refused(why).Add(1)
	attrs := []any{"source", s.Name, "status", status, "reason", why, "peer", r.RemoteAddr}
	switch client, err := clientAddr(r, h.o.TrustedProxies); {
	case err != nil:
		attrs = append(attrs, "client", err.Error())
	case len(h.o.TrustedProxies) > 0:
		attrs = append(attrs, "client", client.String())
	}
	h.o.Logger.Warn("a delivery was refused", attrs...)
	problem(w, status, detail)
}

// event redacts the delivery and reads what is left of it. Nothing that came with right credentials is dropped: what is
// not understood has the reason.
func (h *Handler) event(s *Source, feed provider.Feed, d *provider.Delivery, received time.Time) (*schema.Event, *provider.Quarantine, error) {
	_, about := whom(s.Provider, d)
	original := s.redact(d, about)
	stored, err := provider.Redelivery(original, feed.Name)
	if err != nil {
		return nil, nil, err
	}
	id, err := eventID(s, stored)
	if err != nil {
		return nil, nil, fmt.Errorf("couldn't make an id: %w", err)
	}
	m := understand(s.Provider, stored)
	m.data.Provider, m.data.Original = s.Name, original
	if about || m.about {
		if err := h.seal(id, m.person, &m.data, original); err != nil {
			return nil, nil, err
		}
	}
	return schema.New(id, FeedPath(s.Name, feed), schema.At(received), m.kind, m.data), m.quarantine, nil
}

// redact returns d as it may be stored; with people in it, where it is about a person and going to be sealed.
func (s *Source) redact(d *provider.Delivery, about bool) *schema.Original {
	var pointers []string
	if f, ok := s.Provider.(provider.SecretFinder); ok {
		pointers = f.Secrets(d)
	}
	if about {
		return s.redactor.RedactSecrets(d.Request(), pointers)
	}
	return s.redactor.Redact(d.Request(), pointers)
}

// eventID returns what the provider calls the event, after the source's name, or else a new UUIDv7, which only names
// what was received.
func eventID(s *Source, d *provider.Delivery) (string, error) {
	if p, ok := s.Provider.(provider.Identifier); ok {
		if id := p.EventID(d); id != "" && !redact.Marked(id) {
			return s.Name + ":" + schema.Token(id), nil
		}
	}
	id, err := uuid.NewV7()
	return id.String(), err
}

// seal seals what data and its original say of a person.
func (h *Handler) seal(id, person string, data *schema.Data, original *schema.Original) error {
	if h.o.Keys == nil {
		return errors.New("there are no keys to seal what is about a person with")
	}
	return people.SealPerson(h.o.Keys, id, person, data, original)
}

// append outlives the request: a provider that hung up has delivered all the same.
func (h *Handler) append(ctx context.Context, e *schema.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.o.AppendWait)
	defer cancel()
	_, err := h.o.Log.Append(ctx, e)
	return err
}

// answer answers a delivery that is in the log.
func (h *Handler) answer(w http.ResponseWriter, s *Source, feed provider.Feed, quarantine *provider.Quarantine) {
	if quarantine != nil {
		h.o.Logger.Warn("a delivery was not understood and is kept in quarantine", "source", s.Name, "reason", quarantine.Reason)
		if quarantine.Unreadable {
			problem(w, http.StatusBadRequest, quarantine.Reason+" The delivery is kept, in quarantine.")
			return
		}
	}
	if feed.Answer != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, feed.Answer)
}
