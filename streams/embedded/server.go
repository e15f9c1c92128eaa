package embedded

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/gate"
)

const startTimeout = 60 * time.Second // recovery after a crash scans the stream, some seconds a gigabyte

// ownConnections counts the connections inside the process that the server counts with those of its listener: ours, and
// the gate's.
const ownConnections = 8

// natsServer runs the NATS server inside this process.
type natsServer struct {
	ns     *server.Server
	dir    string
	access gate.Access
	user   gate.ServiceUser
	open   bool       // has a listener
	gate   *gate.Gate // serves the listener's users, once there is a stream
}

func startServer(o Options) (*natsServer, error) {
	e := &natsServer{dir: o.Dir, access: o.Access, user: gate.NewServiceUser()}
	opts := &server.Options{
		ServerName:            "certtrail",
		JetStream:             true,
		StoreDir:              o.Dir,
		JetStreamMaxStore:     math.MaxInt64 / 2, // the stream has its bound, which may be lower than it was
		MaxPayload:            streams.MaxMessage,
		SyncAlways:            o.Always,
		NoSigs:                true, // else the server ends the process by itself on SIGTERM
		DontListen:            true,
		DisableShortFirstPing: true,
	}
	if o.Listen != "" && o.Access.Subscriber != "" {
		host, port, err := hostPort(o.Listen)
		if err != nil {
			return nil, fmt.Errorf("nats-listen: %w", err)
		}
		opts.Host, opts.Port, e.open = host, port, true // serveReaders opens it
		if o.MaxConns > 0 {
			opts.MaxConn = o.MaxConns + ownConnections
		}
	}
	o.Access.Configure(opts, e.user)
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("couldn't set up the NATS server: %w", err)
	}
	ns.SetLoggerV2(serverLogger{o.Logger}, false, false, false)
	e.ns = ns
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) || !ns.JetStreamEnabled() {
		e.stop()
		return nil, fmt.Errorf("the NATS server on %s was not ready within %s: look for its errors in the log, and whether its port is free", o.Dir, startTimeout)
	}
	return e, nil
}

func hostPort(listen string) (string, int, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not HOST:PORT: %w", listen, err)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return "", 0, fmt.Errorf("%q has no port between 0 and 65535", listen)
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	return host, n, nil
}

// serveReaders lets the users of the listener in, once the stream is there for them.
func (e *natsServer) serveReaders() (err error) {
	if !e.open {
		return nil
	}
	if e.gate == nil {
		if e.gate, err = gate.Open(e.ns, e.access, e.user); err != nil {
			return err
		}
	}
	return gate.Listen(e.ns)
}

// connect opens a connection of our own, inside the process.
func (e *natsServer) connect() (*nats.Conn, error) {
	nc, err := nats.Connect("", nats.InProcessServer(e.ns), nats.Name("certtrail"), nats.UserInfo(e.user.Name, e.user.Password),
		nats.CustomInboxPrefix(e.user.InboxPrefix), nats.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("couldn't connect to the NATS server inside the process: %w", err)
	}
	return nc, nil
}

// blocksDir returns where the server keeps the stream's messages.
func (e *natsServer) blocksDir() string { return layout{e.dir}.blocks() }

// streamDir returns where a server whose store is in dir keeps the stream.
func streamDir(dir string) string {
	return filepath.Join(dir, "jetstream", gate.StreamAccount, "streams", streams.StreamName)
}

func (e *natsServer) addr() string {
	if !e.open {
		return ""
	}
	return e.ns.Addr().String()
}

// stop ends the server in order and waits until its files are closed.
func (e *natsServer) stop() {
	if e.gate != nil {
		e.gate.Close()
	}
	e.ns.Shutdown()
	e.ns.WaitForShutdown()
}

// serverLogger brings the server's log lines into ours: warnings and worse, the rest as debug.
type serverLogger struct{ *slog.Logger }

func (l serverLogger) Noticef(format string, v ...any) {
	l.Debug("nats-server: " + fmt.Sprintf(format, v...))
}
func (l serverLogger) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords detected") {
		return // they are ours, made for one run, or the settings', which an operator may write as bcrypt
	}
	l.Warn("nats-server: " + fmt.Sprintf(format, v...))
}
func (l serverLogger) Fatalf(format string, v ...any) {
	l.Error("nats-server: " + fmt.Sprintf(format, v...))
}
func (l serverLogger) Errorf(format string, v ...any) {
	l.Error("nats-server: " + fmt.Sprintf(format, v...))
}
func (l serverLogger) Debugf(string, ...any) {}
func (l serverLogger) Tracef(string, ...any) {}
