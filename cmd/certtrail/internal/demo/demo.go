package demo

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

// AskNobody takes out what providers and name servers would be asked with: they know nothing of what is played.
func AskNobody(s *settings.Settings) {
	s.Values["dns-resolver"] = settings.ResolverOff
	for _, system := range s.Systems {
		if system.API == nil {
			continue
		}
		for _, p := range system.API.Settings {
			s.Values[system.Kind+"-"+p.Name] = p.Default
		}
	}
}

// TryIt shows how a person takes part.
func TryIt(w io.Writer, s *settings.Settings, c *settings.Config, subscribers string) {
	fmt.Fprintf(w, "Deliveries are arriving; watch them at %s. Send one of your own:\n\n", c.WebURL)
	fmt.Fprintf(w, "  curl -H 'X-WEBHOOK-KEY: %s' -d '{\"event\":\"certificate_issued\",\"data\":{\"order_id\":4711,\"certificate_id\":4712}}' %s/hooks/digicert\n",
		s.Get("digicert-webhook-key"), c.HooksURL)
	fmt.Fprintf(w, "  %s send --config %s xolphin Updated-Organization\n\n", os.Args[0], s.File)
	if addr := subscribers; addr != "" {
		fmt.Fprintf(w, "Subscribe with any NATS client, for example\n\n  nats sub --server nats://subscriber:%s@%s 'certs.order.issued.>'\n\n", s.Get("nats-subscriber-password"), addr)
	}
	fmt.Fprintf(w, "Stop with Ctrl-C; everything is thrown away then.\n\n")
}

// FreeAddress returns the address, or one with a free port if that one is taken.
func FreeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return address
	}
	defer l.Close()
	return l.Addr().String()
}
