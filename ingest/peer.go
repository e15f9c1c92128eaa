package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr returns the address a request comes from: the peer's or, if the peer is a trusted proxy, the last one in
// Forwarded or X-Forwarded-For that is not. Anyone can write those headers, so they count only as far as trusted
// proxies wrote them. Most proxies write one of the two and pass the other on as it came: if both are there, they must
// name the same address.
func clientAddr(r *http.Request, trusted []netip.Prefix) (netip.Addr, error) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the peer's address %q cannot be read: %w", r.RemoteAddr, err)
	}
	addr := peer.Addr().Unmap()
	if !within(trusted, addr) {
		return addr, nil
	}
	forwarded, others := forwardedHops(r.Header), forwardedForHops(r.Header)
	if len(forwarded) == 0 {
		return lastUntrusted(addr, others, trusted)
	}
	named, err := lastUntrusted(addr, forwarded, trusted)
	if err != nil || len(others) == 0 {
		return named, err
	}
	if other, err := lastUntrusted(addr, others, trusted); err != nil || other != named {
		return netip.Addr{}, errors.New("the headers Forwarded and X-Forwarded-For name different addresses, and only one of them can be the proxy's")
	}
	return named, nil
}

// lastUntrusted returns the nearest of the hops that is not a trusted proxy, or else the farthest; without any, the
// peer.
func lastUntrusted(peer netip.Addr, hops []string, trusted []netip.Prefix) (netip.Addr, error) {
	addr := peer
	for _, hop := range slices.Backward(hops) {
		var err error
		if addr, err = parseHop(hop); err != nil || !within(trusted, addr) {
			return addr, err
		}
	}
	return addr, nil
}

// forwardedHops returns the addresses in Forwarded (RFC 7239), the nearest last.
func forwardedHops(h http.Header) []string {
	var hops []string
	for _, element := range strings.Split(strings.Join(h.Values("Forwarded"), ","), ",") {
		for _, pair := range strings.Split(element, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(name, "for") {
				hops = append(hops, strings.Trim(value, `"`))
			}
		}
	}
	return hops
}

// forwardedForHops returns those in X-Forwarded-For, likewise.
func forwardedForHops(h http.Header) []string {
	var hops []string
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
