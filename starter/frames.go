package starter

import "encoding/binary"

// frameScanner follows the frames of a web socket in the bytes as they come, without looking at what the frames hold (RFC 6455,
// section 5.2).
type frameScanner struct {
	header  [14]byte
	have    int    // bytes of the header that have come
	left    uint64 // bytes of the frame that are still to come
	last    bool   // the frame ends its message
	data    bool   // it is not a control frame
	message uint64 // bytes of the message so far

	count   int  // frames that have begun
	whole   bool // a message has ended with what scan looked at last
	goodbye bool // the peer has closed
}

// Bits and codes of a frame's header.
const (
	finBit, maskBit                = 0x80, 0x80
	opContinuation, opClose, opBit = 0x0, 0x8, 0x8 // all control frames have opBit
)

// scan takes what comes up to the end of a header or of a frame, whichever is next, and returns its length. The error is errTooLong
// for a header that announces a message over the limit; of such a frame nothing else is wrong, and the scan can go on.
func (f *frameScanner) scan(p []byte, limit int64) (int, error) {
	f.whole = false
	if f.left > 0 {
		n := min(uint64(len(p)), f.left)
		f.left -= n
		f.end()
		return int(n), nil //nolint:gosec // at most len(p)
	}
	n := 0
	for n < len(p) {
		f.header[f.have] = p[n]
		f.have++
		n++
		if f.have >= 2 && f.have == f.headerLength() {
			return n, f.begin(limit)
		}
	}
	return n, nil
}

// headerLength is that of the header, whose first two bytes tell it.
func (f *frameScanner) headerLength() int {
	length := 2
	switch f.header[1] &^ maskBit {
	case 126:
		length += 2
	case 127:
		length += 8
	}
	if f.header[1]&maskBit != 0 {
		length += 4
	}
	return length
}

// begin reads a header that is complete.
func (f *frameScanner) begin(limit int64) error {
	f.have, f.count = 0, f.count+1
	switch length := f.header[1] &^ maskBit; length {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.left = uint64(length)
	}
	code := f.header[0] & 0xf
	f.last, f.data = f.header[0]&finBit != 0, code&opBit == 0
	f.goodbye = f.goodbye || code == opClose
	if f.data && code != opContinuation {
		f.message = 0
	}
	size := f.left
	if f.data {
		f.message = min(f.message, 1<<62) + min(f.left, 1<<62)
		size = f.message
	}
	f.end()
	if size > uint64(limit) { //nolint:gosec // a limit is positive
		return errTooLong
	}
	return nil
}

// end notes the end of a message.
func (f *frameScanner) end() { f.whole = f.left == 0 && f.last && f.data }
