package owner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
)

// control speaks to the owner of a data directory: another process, or this one.
type Client struct {
	dir   string
	http  *http.Client
	Close func()
}

// connect is who speaks to the owner of the data directory over its socket. Nobody may be there: the first call tells.
func Connect(dir string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) }
	transport := &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConns: 1}
	return &Client{dir: dir, http: &http.Client{Transport: transport}, Close: transport.CloseIdleConnections}
}

// errNoOwner says that no process has the data directory.
var ErrNoOwner = errors.New("no certtrail works on the data directory")

// findOwner connects to the process that has the data directory; errNoOwner if none has.
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

// call asks the owner and reads its answer: each line that is neither progress nor the end goes to line, which may be nil like progress and done.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, body io.Reader, line func([]byte) error, done any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends a request that is still being sent
	req, err := http.NewRequestWithContext(ctx, method, "http://control"+path+"?"+query.Encode(), body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("it was interrupted: %w", ctx.Err())
	}
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("couldn't ask the process that has the data directory %s: %w", c.dir, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		b, err := ReadLine(lines, 0)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("it was interrupted: %w", ctx.Err())
			}
			return fmt.Errorf("the process that has the data directory %s ended in the middle of its answer: %w", c.dir, err)
		}
		ended, err := takeLine(b, line, done)
		if ended || err != nil {
			return err
		}
	}
}

// takeLine takes one line of an answer.
func takeLine(b []byte, line func([]byte) error, done any) (ended bool, err error) {
	switch {
	case bytes.HasPrefix(b, []byte(`{"done":`)):
		if done == nil {
			return true, nil
		}
		return true, json.Unmarshal(b, &struct {
			Done any `json:"done"`
		}{done})
	case bytes.HasPrefix(b, []byte(`{"error":`)):
		var failed struct{ Error string }
		if err := json.Unmarshal(b, &failed); err != nil {
			return true, err
		}
		return true, errors.New(failed.Error)
	case line == nil:
		return false, nil
	}
	return false, line(b)
}

// progressOf reads a line of progress into v; false for any other line.
func ProgressOf(b []byte, v any) bool {
	return bytes.HasPrefix(b, []byte(`{"progress":`)) && json.Unmarshal(b, &struct {
		Progress any `json:"progress"`
	}{v}) == nil
}
