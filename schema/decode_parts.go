package schema

import "math"

func (d *decoder) certificate() *Certificate {
	c := &Certificate{}
	var seen seen
	for key := range d.members {
		switch string(key) {
		case "serial_number":
			d.once(&seen, 0)
			c.SerialNumber = d.text()
		case "common_name":
			d.once(&seen, 1)
			c.CommonName = d.text()
		case "dns_names":
			d.once(&seen, 2)
			c.DNSNames = []string{}
			for range d.items {
				c.DNSNames = append(c.DNSNames, d.text())
			}
		case "issuer":
			d.once(&seen, 3)
			c.Issuer = d.text()
		case "not_before":
			d.once(&seen, 4)
			c.NotBefore = d.moment()
		case "not_after":
			d.once(&seen, 5)
			c.NotAfter = d.moment()
		case "key_algorithm":
			d.once(&seen, 6)
			c.KeyAlgorithm = d.text()
		case "fingerprint_sha256":
			d.once(&seen, 7)
			c.FingerprintSHA256 = d.text()
		case "pem":
			d.once(&seen, 8)
			c.PEM = d.text()
		default:
			d.stranger(key)
		}
	}
	return c
}

func (d *decoder) ds() *DS {
	ds := &DS{}
	var seen seen
	for key := range d.members {
		switch string(key) {
		case "key_tag":
			d.once(&seen, 0)
			ds.KeyTag = uint16(d.whole(math.MaxUint16))
		case "algorithm":
			d.once(&seen, 1)
			ds.Algorithm = uint8(d.whole(math.MaxUint8))
		case "digest_type":
			d.once(&seen, 2)
			ds.DigestType = uint8(d.whole(math.MaxUint8))
		case "digest":
			d.once(&seen, 3)
			ds.Digest = d.text()
		default:
			d.stranger(key)
		}
	}
	return ds
}

func (d *decoder) unreadable() []Unreadable {
	list := []Unreadable{}
	for range d.items {
		var u Unreadable
		var seen seen
		for key := range d.members {
			switch string(key) {
			case "part":
				d.once(&seen, 0)
				u.Part = d.text()
			case "reason":
				d.once(&seen, 1)
				u.Reason = d.text()
			default:
				d.stranger(key)
			}
		}
		list = append(list, u)
	}
	return list
}

func (d *decoder) original() *Original {
	o := &Original{}
	var seen seen
	for key := range d.members {
		switch string(key) {
		case "method":
			d.once(&seen, 0)
			o.Method = d.oneOf("POST", "GET")
		case "query":
			d.once(&seen, 1)
			o.Query = d.text()
		case "headers":
			d.once(&seen, 2)
			o.Headers = map[string]string{}
			for name := range d.members {
				o.Headers[string(name)] = d.text()
			}
		case "body":
			d.once(&seen, 3)
			o.Body = d.raw()
		case "body_base64":
			d.once(&seen, 4)
			o.BodyBase64 = d.text()
		case "sealed":
			d.once(&seen, 5)
			o.Sealed = d.text()
		default:
			d.stranger(key)
		}
	}
	return o
}
