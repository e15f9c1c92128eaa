package listen

import (
	"net"
	"testing"
)

func TestLocalAddress(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", "[::1]:8080": "[::1]:8080", "192.0.2.1:1": "192.0.2.1:1",
		"0.0.0.0:8081": "localhost:8081", "[::]:8081": "localhost:8081",
		"[::ffff:0.0.0.0]:8081": "localhost:8081",
	} {
		addr, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := LocalAddress(addr); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
	if got := LocalAddress(&net.UnixAddr{Name: "/run/socket"}); got != "/run/socket" {
		t.Errorf("a socket is reached at %s", got)
	}
}

func TestDescriptorLimitIsOneThatSharesFit(t *testing.T) {
	limit, err := DescriptorLimit()
	if err != nil || limit < 1 || limit > 1<<20 {
		t.Fatalf("got %d, %v", limit, err)
	}
	if s := SharesOf(limit); s.Hooks+s.Web+s.Subscribers > limit || s.Hooks < 0 || s.Web < 0 || s.Subscribers < 0 {
		t.Errorf("of %d the shares are %+v", limit, s)
	}
}
