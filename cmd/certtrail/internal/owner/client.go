package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// Client speaks to the owner of a data directory: another process, or this one.
type Client struct {
	dir   string
	http  *http.Client
	Close func()
}

// Connect returns a client for the owner of the data directory. Nobody may be there: the first call tells.
func Connect(dir string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) }
	transport := &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConns: 1}
	return &Client{dir: dir, http: &http.Client{Transport: transport}, Close: transport.CloseIdleConnections}
}

// ErrNoOwner says that no process has the data directory.
var ErrNoOwner = errors.New("no certtrail works on the data directory")

// Find connects to the process that has the data directory; ErrNoOwner if none has.
func Find(ctx context.Context, dir string) (*Client, About, error) {
	var a About
	c := Connect(dir)
	err := c.Call(ctx, http.MethodGet, "/owner", nil, nil, nil, &a)
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w %s", ErrNoOwner, dir)
	}
	if err != nil {
		c.Close()
		return nil, a, err
	}
	return c, a, nil
}

// Call asks a route and reads its result, which may be nil; progress, which may be nil too, is given the JSON of what
// the owner tells meanwhile.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, body io.Reader, progress func([]byte), result any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends a request that is still being sent
	resp, err := c.do(ctx, method, path, query, body, progress)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return c.brokenOff(ctx, err)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(b, result)
}

// Stream asks a route that streams, has read read it, and then reads the result, which may be nil.
func (c *Client) Stream(ctx context.Context, path string, query url.Values, read func(io.Reader) error, result any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.do(ctx, http.MethodGet, path, query, nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	from := &source{r: resp.Body}
	if err := read(from); err != nil && from.err == nil {
		return err
	}
	if _, err := io.Copy(io.Discard, from); err != nil { // the trailer follows the last byte
		return c.brokenOff(ctx, err)
	}
	if failed := resp.Trailer.Get(errorTrailer); failed != "" {
		return quotedError(failed)
	}
	end := resp.Trailer.Get(resultTrailer)
	if end == "" {
		return c.brokenOff(ctx, io.ErrUnexpectedEOF)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal([]byte(end), result)
}

// do sends a request and returns an answer that is no error.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body io.Reader, progress func([]byte)) (*http.Response, error) {
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if text := header.Get(progressHeader); text != "" && progress != nil {
			progress([]byte(text))
		}
		return nil
	}}
	target := url.URL{Scheme: "http", Host: "control", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, target.String(), body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		var dial *net.OpError
		if ctx.Err() == nil && (errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, fs.ErrNotExist)) {
			return nil, fmt.Errorf("couldn't ask the process that has the data directory %s: %w", c.dir, err)
		}
		return nil, c.brokenOff(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, c.brokenOff(ctx, err)
		}
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return resp, nil
}

// brokenOff says that an answer ended before its end.
func (c *Client) brokenOff(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("it was interrupted: %w", ctx.Err())
	}
	return fmt.Errorf("the process that has the data directory %s ended in the middle of its answer: %w", c.dir, err)
}

func quotedError(text string) error {
	if sentence, err := strconv.Unquote(text); err == nil {
		text = sentence
	}
	return errors.New(text)
}

// source keeps the error that reading r ended with, so that it can be told from one of who reads.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
