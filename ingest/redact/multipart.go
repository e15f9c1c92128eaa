package redact

import (
	"mime"
	"strings"
)

// boundaryOf returns what stands between the parts of a body in parts: said, or else the first line of a body that
// looks like one; "" for any other body.
func boundaryOf(body, said string) string {
	if said != "" {
		return "--" + said
	}
	first, rest, _ := strings.Cut(strings.TrimLeft(body, "\r\n"), "\n")
	first = strings.TrimRight(first, "\r ")
	if len(first) < 3 || !strings.HasPrefix(first, "--") || !strings.HasPrefix(strings.ToLower(rest), "content-") {
		return ""
	}
	return first
}

// redactMultipart redacts a form in parts: those with a secret's name lose their content. Lines may end with CRLF or LF
// alone.
func redactMultipart(body, boundary string) string {
	secret := bearsSecret(body)
	parts := strings.Split(body, boundary)
	for i, part := range parts {
		header, content, ok := cutHeader(part)
		if !ok {
			parts[i] = redactText(part)
			continue
		}
		name := partName(header)
		class := classify(name)
		if secret && !isNameOrID(name) {
			class = keySecret
		}
		value := strings.TrimSuffix(strings.TrimSuffix(content, "\n"), "\r")
		parts[i] = redactText(header) + redactValue(class, value) + content[len(value):]
	}
	return strings.Join(parts, boundary)
}

// cutHeader cuts a part after the blank line that ends its header.
func cutHeader(part string) (header, content string, ok bool) {
	end := -1
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if at := strings.Index(part, blank); at >= 0 && (end < 0 || at+len(blank) < end) {
			end = at + len(blank)
		}
	}
	if end < 0 {
		return "", part, false
	}
	return part[:end], part[end:], true
}

func partName(header string) string {
	for line := range strings.SplitSeq(header, "\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Disposition") {
			if _, params, err := mime.ParseMediaType(strings.TrimSpace(value)); err == nil {
				return params["name"]
			}
		}
	}
	return ""
}
