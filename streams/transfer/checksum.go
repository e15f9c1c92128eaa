package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Each line of an export is the event as the log has it, with one member more, at its end, so that it still is a
// CloudEvent to everybody else:
//
//	,"certtrailchecksum":"<the first 16 digits of the SHA-256 of the line without this member>"}
const (
	checksumBegin = `,"certtrailchecksum":"`
	checksumEnd   = `"}`
	checksumSize  = len(checksumBegin) + checksumHex + len(checksumEnd) - 1 // bytes that it adds to an event
	checksumHex   = 16
)

var (
	errChecksum   = errors.New("is damaged: its checksum is of something else")
	errNoChecksum = errors.New("is damaged: it bears no checksum, though lines before it do")
)

// addChecksum appends to line the event with its checksum. What is no object has no place for one.
func addChecksum(line, event []byte) []byte {
	whole, ok := bytes.CutSuffix(event, []byte("}"))
	if !ok {
		return append(line, event...)
	}
	line = append(append(line, whole...), checksumBegin...)
	return append(append(line, checksumOf(event)...), checksumEnd...)
}

func checksumOf(event []byte) string {
	sum := sha256.Sum256(event)
	return hex.EncodeToString(sum[:])[:checksumHex]
}

// checkLine returns the event of a line, without its checksum; checked is false for a line of before there were
// checksums. A checksum that is right under a name that is not is damage to the name.
func checkLine(line []byte) (event []byte, checked bool, err error) {
	at := len(line) - 1 - checksumSize
	if at < 1 || !bytes.HasSuffix(line, []byte(checksumEnd)) {
		return line, false, nil
	}
	named := bytes.HasPrefix(line[at:], []byte(checksumBegin))
	event = append(bytes.Clone(line[:at]), '}')
	right := checksumOf(event) == string(line[at+len(checksumBegin):len(line)-len(checksumEnd)])
	switch {
	case named && right:
		return event, true, nil
	case named || right:
		return nil, false, errChecksum
	}
	return line, false, nil
}
