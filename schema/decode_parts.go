package schema

import "math"

func (d *decoder) certificate() *Certificate {
	c := &Certificate{}
	var seen seen
	for key := range d.Members {
		switch string(key) {
		case "serial_number":
			d.once(&seen, 0)
			c.SerialNumber = d.Text()
		case "common_name":
			d.once(&seen, 1)
			c.CommonName = d.Text()
		case "dns_names":
			d.once(&seen, 2)
			c.DNSNames = []string{}
			for range d.Items {
				c.DNSNames = append(c.DNSNames, d.Text())
			}
		case "issuer":
			d.once(&seen, 3)
			c.Issuer = d.Text()
		case "not_before":
			d.once(&seen, 4)
			c.NotBefore = d.moment()
		case "not_after":
			d.once(&seen, 5)
			c.NotAfter = d.moment()
		case "key_algorithm":
			d.once(&seen, 6)
			c.KeyAlgorithm = d.Text()
		case "fingerprint_sha256":
			d.once(&seen, 7)
			c.FingerprintSHA256 = d.Text()
		case "pem":
			d.once(&seen, 8)
			c.PEM = d.Text()
		default:
			d.skipUnknown(key)
		}
	}
	return c
}

func (d *decoder) ds() *DS {
	ds := &DS{}
	var seen seen
	for key := range d.Members {
		switch string(key) {
		case "key_tag":
			d.once(&seen, 0)
			ds.KeyTag = uint16(d.Whole(math.MaxUint16))
		case "algorithm":
			d.once(&seen, 1)
			ds.Algorithm = uint8(d.Whole(math.MaxUint8))
		case "digest_type":
			d.once(&seen, 2)
			ds.DigestType = uint8(d.Whole(math.MaxUint8))
		case "digest":
			d.once(&seen, 3)
			ds.Digest = d.Text()
		default:
			d.skipUnknown(key)
		}
	}
	return ds
}

func (d *decoder) unreadable() []Unreadable {
	list := []Unreadable{}
	for range d.Items {
		var u Unreadable
		var seen seen
		for key := range d.Members {
			switch string(key) {
			case "part":
				d.once(&seen, 0)
				u.Part = d.Text()
			case "reason":
				d.once(&seen, 1)
				u.Reason = d.Text()
			default:
				d.skipUnknown(key)
			}
		}
		list = append(list, u)
	}
	return list
}

func (d *decoder) original() *Original {
	o := &Original{}
	var seen seen
	for key := range d.Members {
		switch string(key) {
		case "method":
			d.once(&seen, 0)
			o.Method = d.oneOf("POST", "GET")
		case "query":
			d.once(&seen, 1)
			o.Query = d.Text()
		case "headers":
			d.once(&seen, 2)
			o.Headers = map[string]string{}
			for name := range d.Members {
				o.Headers[string(name)] = d.Text()
			}
		case "body":
			d.once(&seen, 3)
			o.Body = d.Raw()
		case "body_base64":
			d.once(&seen, 4)
			o.BodyBase64 = d.Text()
		case "sealed":
			d.once(&seen, 5)
			o.Sealed = d.Text()
		default:
			d.skipUnknown(key)
		}
	}
	return o
}
