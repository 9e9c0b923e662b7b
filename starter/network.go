package starter

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// isNetwork reports an error that only says that the peer is gone.
func isNetwork(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &netErr)
}
