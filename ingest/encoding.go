package ingest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxCodings bounds how many encodings, one in another, are undone.
const maxCodings = 4

// encodingError says that nothing can be made of a body: what stays encoded could not be redacted, so it is not kept.
type encodingError struct{ why string }

func (e *encodingError) Error() string { return e.why }

// plain undoes the encodings that the header names, and makes UTF-8 of other forms of Unicode.
func (b *body) plain(came []byte, header http.Header) ([]byte, error) {
	codings := codingsOf(header)
	if len(codings) > maxCodings {
		return nil, &encodingError{fmt.Sprintf("The body of the delivery is encoded more than %d times over.", maxCodings)}
	}
	for _, coding := range slices.Backward(codings) { // they are named in the order in which they were done
		decoder, err := decoderOf(coding, came)
		if err == nil {
			came, err = b.decode(decoder, came)
		}
		switch unknown := new(encodingError); {
		case errors.Is(err, errTooLarge), errors.Is(err, errNoRoom), errors.As(err, &unknown):
			return nil, err
		case err != nil:
			return nil, &encodingError{fmt.Sprintf("The body of the delivery is not in the encoding %s that its Content-Encoding names, or is cut off.", coding)}
		}
	}
	return b.toUTF8(came, header)
}

// codingsOf returns the encodings that the header names, without those that change nothing.
func codingsOf(header http.Header) []string {
	var codings []string
	for coding := range strings.SplitSeq(strings.Join(header["Content-Encoding"], ","), ",") {
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" && coding != "identity" {
			codings = append(codings, coding)
		}
	}
	return codings
}

// decoderOf makes a decoder, which reads came from its beginning. Of deflate there are two forms, with the header of
// zlib and without.
func decoderOf(coding string, came []byte) (func(io.Reader) (io.Reader, error), error) {
	switch coding {
	case "gzip", "x-gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, nil
	case "deflate":
		if _, err := zlib.NewReader(bytes.NewReader(came)); err == nil {
			return func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }, nil
		}
		return func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }, nil
	}
	return nil, &encodingError{"The Content-Encoding of the delivery is not taken: gzip, deflate and identity are."}
}

// decode reads all that a decoder makes of came, which must end where the decoder ends.
func (b *body) decode(decoder func(io.Reader) (io.Reader, error), came []byte) ([]byte, error) {
	from := bytes.NewReader(came)
	r, err := decoder(from)
	if err != nil {
		return nil, err
	}
	plain, err := b.read(r, -1)
	if err == nil && from.Len() > 0 {
		err = errors.New("something stands behind its end")
	}
	return plain, err
}

// unicodeForm describes a form of Unicode other than UTF-8.
type unicodeForm struct {
	size  int // bytes of a unit
	order binary.ByteOrder
}

var (
	utf16LE = unicodeForm{2, binary.LittleEndian}
	utf16BE = unicodeForm{2, binary.BigEndian}
	utf32LE = unicodeForm{4, binary.LittleEndian}
	utf32BE = unicodeForm{4, binary.BigEndian}
)

// byteOrderMarks lists the marks that a body may begin with. That of UTF-32 comes before that of UTF-16, with which it
// begins.
var byteOrderMarks = []struct {
	mark string
	form unicodeForm
}{{"\xff\xfe\x00\x00", utf32LE}, {"\x00\x00\xfe\xff", utf32BE}, {"\xff\xfe", utf16LE}, {"\xfe\xff", utf16BE}}

// toUTF8 makes UTF-8 of a body that begins with the mark of another form of Unicode, or whose Content-Type names one.
func (b *body) toUTF8(came []byte, header http.Header) ([]byte, error) {
	if bytes.IndexByte(came, 0) < 0 && !bytes.HasPrefix(came, []byte("\xff\xfe")) && !bytes.HasPrefix(came, []byte("\xfe\xff")) {
		return came, nil // the other forms have a zero in every character of ASCII
	}
	media, params, _ := mime.ParseMediaType(header.Get("Content-Type")) // one that cannot be read is as if absent
	form, text := formOf(came, params["charset"])
	if form.size == 0 {
		return came, nil
	}
	if params["charset"] != "" { // as what is stored then has it
		params["charset"] = "utf-8"
		header.Set("Content-Type", mime.FormatMediaType(media, params))
	}
	if len(text)%form.size != 0 {
		return nil, &encodingError{"The body of the delivery is cut off in the midst of a character."}
	}
	room := int64(utf8.UTFMax * len(text) / form.size)
	if room = min(room, b.max+utf8.UTFMax); !b.held.take(b.source, room) {
		return nil, errNoRoom
	}
	b.taken += room
	plain := make([]byte, 0, room)
	for len(text) > 0 {
		r := form.rune(text)
		text = text[form.size:]
		if utf16.IsSurrogate(r) && form.size == 2 && len(text) > 0 {
			if both := utf16.DecodeRune(r, form.rune(text)); both != utf8.RuneError {
				r, text = both, text[form.size:]
			}
		}
		if plain = utf8.AppendRune(plain, r); int64(len(plain)) > b.max { // of half a character, the sign that says so
			return nil, errTooLarge
		}
	}
	return plain, nil
}

func (f unicodeForm) rune(text []byte) rune {
	if f.size == 2 {
		return rune(f.order.Uint16(text))
	}
	return rune(f.order.Uint32(text))
}

// formOf tells the form of a body and what stands behind its mark; without a size, it is left as it is.
func formOf(came []byte, charset string) (unicodeForm, []byte) {
	for _, m := range byteOrderMarks {
		if text, ok := bytes.CutPrefix(came, []byte(m.mark)); ok {
			return m.form, text
		}
	}
	switch strings.ToLower(charset) {
	case "utf-16le":
		return utf16LE, came
	case "utf-16be":
		return utf16BE, came
	case "utf-32le":
		return utf32LE, came
	case "utf-32be":
		return utf32BE, came
	case "utf-16", "utf-32":
		return formByZeros(came), came
	case "":
		if form := formByZeros(came); strings.ContainsRune("{[", form.first(came)) { // JSON that does not say how it is written
			return form, came
		}
	}
	return unicodeForm{}, came
}

// formByZeros returns the form that the zeros of a first character in ASCII show.
func formByZeros(came []byte) unicodeForm {
	zero := func(at ...int) bool {
		return !slices.ContainsFunc(at, func(i int) bool { return i >= len(came) || came[i] != 0 })
	}
	switch {
	case zero(0, 1, 2):
		return utf32BE
	case zero(1, 2, 3):
		return utf32LE
	case zero(1):
		return utf16LE
	}
	return utf16BE
}

// first returns the first character of text; -1 if there is none.
func (f unicodeForm) first(text []byte) rune {
	if len(text) < f.size {
		return -1
	}
	return f.rune(text)
}
