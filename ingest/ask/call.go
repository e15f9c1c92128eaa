package ask

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
)

// Options describe an API to a Caller. Zero values stand for the defaults in brackets.
type Options struct {
	Name      string              // for people, at the start of every error: "DigiCert"
	Base      string              // URL that the paths are relative to: "https://www.digicert.com/services/v2"
	Authorize func(h http.Header) // puts the credentials, and what else every request bears, on a request
	Secrets   []string            // the credentials, which must stand in no error and no answer

	Timeout  time.Duration // of one try, body included [30 s]
	MaxBody  int64         // of an answer, in bytes [8 MiB]
	Tries    int           // of one call [4]
	First    time.Duration // the wait before the second try; it doubles from there [500 ms]
	Most     time.Duration // the longest wait between two tries, also one that Retry-After asks for [1 min]
	Rate     float64       // calls a second [5]
	Burst    int           // calls at once [10]
	Failures int           // calls in a row that come to nothing, after which the API is left alone [5]
	Cooldown time.Duration // for how long [1 min]

	Transport http.RoundTripper                                // [http.DefaultTransport]
	Now       func() time.Time                                 // [time.Now]
	Wait      func(ctx context.Context, d time.Duration) error // [WaitFor]
	Jitter    func() float64                                   // from 0 to 1 [random]
}

// Caller calls one API: within its rate, again where that may help, and not at all while it is down. Its methods may be
// called at once from many goroutines. No credential stands in what it returns.
type Caller struct {
	o       Options
	base    *url.URL
	client  *http.Client
	limit   *rate.Limiter
	breaker *breaker
}

// NewCaller returns a caller of the API that o describes.
func NewCaller(o Options) (*Caller, error) {
	base, err := url.Parse(strings.TrimRight(o.Base, "/"))
	switch {
	case err != nil: // without the error, which quotes the URL and so a password in it
		return nil, fmt.Errorf("the address of %s's API is not a URL: set it to one such as https://api.example.com/v1", o.Name)
	case base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("the address of %s's API must begin with https:// and name a host", o.Name)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("the address of %s's API must have neither a user name nor a query: credentials have settings of their own", o.Name)
	}
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.MaxBody = cmp.Or(o.MaxBody, 8<<20)
	o.Tries = cmp.Or(o.Tries, 4)
	o.First = cmp.Or(o.First, 500*time.Millisecond)
	o.Most = cmp.Or(o.Most, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = WaitFor
	}
	if o.Jitter == nil {
		o.Jitter = randomJitter
	}
	return &Caller{
		o: o, base: base, limit: rate.NewLimiter(rate.Limit(cmp.Or(o.Rate, 5)), cmp.Or(o.Burst, 10)),
		breaker: &breaker{after: cmp.Or(o.Failures, 5), cooldown: cmp.Or(o.Cooldown, time.Minute), state: BreakerState{State: BreakerClosed}},
		client: &http.Client{
			Transport: o.Transport,
			// A redirect would carry the credentials in their own headers to wherever it leads.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Breaker tells whether the API is asked at present.
func (c *Caller) Breaker() BreakerState { return c.breaker.snapshot(c.o.Now()) }

// JSON calls path (relative to the base, its ids escaped) with in as the JSON body, unless that is nil, and reads the
// answer into out, unless that is nil. An error is a *provider.Refusal, an *Unavailable, the context's, or says what is
// wrong with the answer.
func (c *Caller) JSON(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s's API cannot be asked: %w", c.o.Name, err)
		}
	}
	q := question{method: method, path: path, query: query, body: body, accept: "application/json", json: out != nil}
	answer, err := c.call(ctx, q)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return c.sentence(q, "answered with JSON of another shape than it documents")
	}
	return nil
}

// Bytes gets path, whose answer is a file rather than JSON.
func (c *Caller) Bytes(ctx context.Context, path string, query url.Values) ([]byte, error) {
	return c.call(ctx, question{method: http.MethodGet, path: path, query: query, accept: "*/*"})
}

// question holds one call.
type question struct {
	method, path string
	query        url.Values
	body         []byte
	accept       string
	json         bool // the answer must be JSON
}

// repeatable tells whether asking twice does no more than asking once, as for every method but POST.
func (q question) repeatable() bool { return q.method != http.MethodPost }

// Unavailable reports, as an error, that the API did not answer, or not with what it should, and may do so later.
type Unavailable struct {
	Until  time.Time // before which asking again is of no use; zero if that is not known
	reason string    // a sentence
}

// Error says what happened and what to do.
func (u *Unavailable) Error() string { return u.reason }

func (c *Caller) call(ctx context.Context, q question) ([]byte, error) {
	if now := c.o.Now(); !c.breaker.allow(now) {
		s := c.breaker.snapshot(now)
		reason := fmt.Sprintf("%s's API is not asked at present; calls in a row that came to nothing: %d, the last: %s", c.o.Name, s.Failures, s.LastError)
		return nil, &Unavailable{Until: s.RetryAt, reason: reason}
	}
	answer, err := c.tries(ctx, q)
	var refusal *provider.Refusal
	var unavailable *Unavailable
	switch {
	case err == nil, errors.As(err, &refusal): // it is there, whatever it says
		c.breaker.done(c.o.Now(), nil)
	case ctx.Err() != nil:
		c.breaker.undone()
		return nil, fmt.Errorf("asking %s was given up: %w", c.o.Name, context.Cause(ctx))
	case errors.As(err, &unavailable) && !unavailable.Until.IsZero():
		c.breaker.leave(c.o.Now(), unavailable.Until, err)
	default:
		c.breaker.done(c.o.Now(), err)
	}
	return answer, err
}

func (c *Caller) tries(ctx context.Context, q question) ([]byte, error) {
	for n := 1; ; n++ {
		if err := c.pace(ctx); err != nil {
			return nil, err
		}
		answer, again, err := c.try(ctx, q)
		if err == nil || again < 0 || ctx.Err() != nil {
			return answer, err
		}
		if again > c.o.Most {
			return nil, &Unavailable{Until: c.o.Now().Add(again), reason: fmt.Sprintf("%s It asks to be left alone until %s: ask again then.",
				err, c.o.Now().Add(again).UTC().Format("2006-01-02 15:04:05 MST"))}
		}
		if n >= c.o.Tries {
			return nil, &Unavailable{reason: fmt.Sprintf("%s Tries: %d. Ask again later, and see whether the provider tells of an outage.", err, n)}
		}
		if again == 0 {
			again = backoff(n, c.o.First, c.o.Most, c.o.Jitter())
		}
		if err := c.o.Wait(ctx, again); err != nil {
			return nil, err
		}
	}
}

// pace waits for this call's turn within the rate.
func (c *Caller) pace(ctx context.Context) error {
	now := c.o.Now()
	if d := c.limit.ReserveN(now, 1).DelayFrom(now); d > 0 {
		return c.o.Wait(ctx, d)
	}
	return ctx.Err()
}

// never, as an again, says that asking again would not help.
const never = -1

// try asks once. With an error, again is how long to wait before asking again, 0 where the API does not say, never
// where it would not help.
func (c *Caller) try(ctx context.Context, q question) (answer []byte, again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	unsure := time.Duration(never) // whether it was carried out is not known
	if q.repeatable() {
		unsure = 0
	}
	req, err := c.request(ctx, q)
	if err != nil {
		return nil, never, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, unsure, c.sentence(q, "did not answer: "+c.cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.o.MaxBody+1))
	if err != nil {
		return nil, unsure, c.sentence(q, "broke off its answer: "+c.cause(err))
	}
	if int64(len(body)) > c.o.MaxBody {
		return nil, never, c.sentence(q, fmt.Sprintf("answered with more than the %d bytes that are read", c.o.MaxBody))
	}
	return c.judge(q, resp, []byte(redact.Credentials(string(body), c.o.Secrets)), unsure)
}

func (c *Caller) judge(q question, resp *http.Response, body []byte, unsure time.Duration) ([]byte, time.Duration, error) {
	asked, ok := retryAfter(resp.Header, c.o.Now())
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests: // refused before it was looked at, so also a POST may come again
		return nil, asked, c.sentence(q, "answered that it was asked too often (status 429)")
	case status >= 500:
		if ok && unsure == 0 {
			unsure = asked
		}
		return nil, unsure, c.sentence(q, fmt.Sprintf("failed with status %d", status))
	case status >= 400:
		return nil, never, &provider.Refusal{Status: status, Body: body}
	case status >= 300:
		return nil, never, c.sentence(q, fmt.Sprintf("sent elsewhere (status %d), which is not followed with credentials: set its address to where it is now", status))
	case status < 200:
		return nil, never, c.sentence(q, fmt.Sprintf("answered with status %d, which is no answer", status))
	case q.json && !json.Valid(body), !q.json && content(resp.Header, body) == aPage:
		return nil, unsure, c.sentence(q, fmt.Sprintf("answered with %s instead of %s (status %d): see that its address leads to the API, and not to a login page or a proxy",
			content(resp.Header, body), map[bool]string{true: "JSON", false: "what it documents"}[q.json], status))
	}
	return body, never, nil
}

func (c *Caller) request(ctx context.Context, q question) (*http.Request, error) {
	target := c.base.String() + "/" + strings.TrimLeft(q.path, "/")
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, c.sentence(q, "cannot be asked: "+c.cause(err))
	}
	req.Header.Set("Accept", q.accept)
	req.Header.Set("User-Agent", "certtrail")
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.o.Authorize != nil {
		c.o.Authorize(req.Header)
	}
	return req, nil
}

// cause says why a request failed, without its URL, which the sentence names already.
func (c *Caller) cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("it took longer than %s", c.o.Timeout)
	}
	return err.Error()
}

// sentence makes an error for people: who, what it was asked, what happened.
func (c *Caller) sentence(q question, happened string) error {
	return errors.New(redact.Credentials(fmt.Sprintf("%s's API, asked to %s %s, %s.", c.o.Name, q.method, q.path, happened), c.o.Secrets))
}

// content names the kind of a body, for people.
func content(h http.Header, body []byte) string {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch {
	case len(body) == 0:
		return "nothing"
	case kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return aPage
	case kind != "" && !strings.Contains(kind, "json"):
		return fmt.Sprintf("%.60s", kind)
	}
	return "something"
}

const aPage = "a page"
