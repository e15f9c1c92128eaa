package owner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	SocketName = "control.sock"
	SocketDir  = ".control-" // begins the name of the directory in which it is made
)

// maxSocketPath bounds the path of a unix socket; the kernels differ between 104 and 108 bytes, with a zero at the end.
const maxSocketPath = 100

// socketStop limits how long requests under way may take to end once the socket is to close.
const socketStop = 5 * time.Second

// reach calls do with a path of the socket dir/name that the kernel takes, however long dir is.
func reach(dir, name string, do func(path string) error) error {
	path := filepath.Join(dir, name)
	if len(path) <= maxSocketPath {
		return do(path)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	short := filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())))
	if _, err := os.Stat(short); err != nil {
		return fmt.Errorf("the path %s is longer than the %d bytes that a socket's may have: use a data directory with a shorter path", path, maxSocketPath)
	}
	return do(filepath.Join(short, name))
}

// Server serves an owner on its socket.
type Server struct {
	dir    string
	l      net.Listener
	h      atomic.Pointer[http.Handler] // of the owner that there is now
	server *http.Server
	cancel context.CancelFunc // ends the contexts of its requests
}

// Listen opens control.sock in the data directory, whose lock the process must hold. Who connects waits until serve is
// called.
func Listen(dir string) (*Server, error) {
	// The socket is made where nobody else can look, and takes its name when its mode is right. A socket that a killed
	// process left gives way.
	making, err := os.MkdirTemp(dir, SocketDir)
	if err != nil {
		return nil, fmt.Errorf("couldn't make %s: %w", SocketName, err)
	}
	defer os.RemoveAll(making)
	var l *net.UnixListener
	err = reach(making, SocketName, func(path string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("couldn't make %s in %s: %w", SocketName, dir, err)
	}
	l.SetUnlinkOnClose(false)
	made := filepath.Join(making, SocketName)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, filepath.Join(dir, SocketName))); err != nil {
		l.Close()
		return nil, fmt.Errorf("couldn't make %s in %s: %w", SocketName, dir, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{dir: dir, l: l, cancel: cancel}
	s.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.h.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	return s, nil
}

// Serve answers by h, until it is called with another or the server stops.
func (s *Server) Serve(h http.Handler, failed func(error)) {
	if s.h.Swap(&h) != nil {
		return
	}
	go func() {
		if err := s.server.Serve(s.l); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("%s failed: %w", SocketName, err))
		}
	}()
}

// Stop ends the requests under way and removes the socket. It returns when none uses the owner any more, or the time
// for it is over.
func (s *Server) Stop() {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), socketStop)
	defer cancel()
	os.Remove(filepath.Join(s.dir, SocketName))
	if err := s.server.Shutdown(ctx); err != nil {
		s.server.Close()
	}
	s.l.Close() // if it was never served
}

// dial connects to the owner of the data directory.
func dial(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = reach(dir, SocketName, func(path string) (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}
