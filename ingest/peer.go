package ingest

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// clientAddr is the address a request comes from: the peer's, or, where the peer is a trusted proxy, the last one in Forwarded or
// X-Forwarded-For that is not. Anyone can write those headers, so they count only as far as trusted proxies wrote them.
func clientAddr(r *http.Request, trusted []netip.Prefix) (netip.Addr, error) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the peer's address %q cannot be read: %w", r.RemoteAddr, err)
	}
	addr := peer.Addr().Unmap()
	if !within(trusted, addr) {
		return addr, nil
	}
	hops := forwardedFor(r.Header)
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(hops[i])
		if err != nil {
			return netip.Addr{}, err
		}
		if addr = hop; !within(trusted, addr) {
			break
		}
	}
	return addr, nil
}

// forwardedFor are the addresses that proxies noted, the nearest last. Forwarded (RFC 7239) goes before X-Forwarded-For.
func forwardedFor(h http.Header) []string {
	var hops []string
	for _, element := range strings.Split(strings.Join(h.Values("Forwarded"), ","), ",") {
		for _, pair := range strings.Split(element, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(name, "for") {
				hops = append(hops, strings.Trim(value, `"`))
			}
		}
	}
	if len(hops) > 0 {
		return hops
	}
	for _, hop := range strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",") {
		if hop = strings.TrimSpace(hop); hop != "" {
			hops = append(hops, hop)
		}
	}
	return hops
}

// parseHop reads an address with or without port and brackets.
func parseHop(hop string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr().Unmap(), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("a proxy noted %q, which is no address", hop)
	}
	return addr.Unmap(), nil
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
