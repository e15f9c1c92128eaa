package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// stopTimeout limits how long requests under way may take to end once the process is told to stop.
const stopTimeout = 5 * time.Second

// Listener runs one HTTP server on its address.
type Listener struct {
	name   string
	l      *connections
	server *http.Server
	cancel context.CancelFunc // ends the contexts of its requests, of which some live as long as a page is open
}

func New(name string, l *connections, h http.Handler) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	watch(server)
	return &Listener{name, l, server, cancel}
}

func (l *Listener) Serve(failed chan<- error) {
	go func() {
		if err := l.server.Serve(l.l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("the listener for %s failed: %w", l.name, err)
		}
	}()
}

// Stop takes no new requests, and waits for those under way.
func (l *Listener) Stop(logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	l.server.RegisterOnShutdown(l.cancel)
	if err := l.server.Shutdown(ctx); err != nil {
		logger.Warn("requests were still under way at the end", "listener", l.name, "error", err)
		l.server.Close()
	}
	l.cancel()
}

// LocalAddress returns the address by which this machine reaches a listener, which may listen on all addresses.
func LocalAddress(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip, ipErr := netip.ParseAddr(host); err == nil && ipErr == nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr.String()
}
