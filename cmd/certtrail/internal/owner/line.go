package owner

import (
	"bufio"
	"errors"
	"io"
)

// errLongLine says that a line is longer than its limit.
var ErrLongLine = errors.New("the line is too long")

// readLine is the next line without its end, which may be missing at the end of all. It is a copy. limit is in bytes; 0: none.
func ReadLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if limit > 0 && len(line) > limit {
			return line, ErrLongLine
		}
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0 && limit > 0:
			return line, nil
		default:
			return line, err
		}
	}
}
