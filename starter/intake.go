package starter

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// What one connection may send for long, and at once. More waits with its sender: what the starter does not read, TCP does not take.
const (
	byteRate, byteBurst   = 256 << 10, maxFrame + maxHello // bytes a second
	frameRate, frameBurst = 100, 2 * maxWaiting            // frames a second, pings and parts of messages among them
	// maxDrain is how many bytes are still taken, unread, from a peer that is sent away, so that it hears why.
	maxDrain = maxFrame + maxHello
)

// errTooLong reports a message that is longer than the peer may send, or would be.
var errTooLong = errors.New("the message is too long")

// intake is the network connection of a web socket, between the socket and the network. It paces what comes in, by bytes and by
// frames, and refuses a message that is too long by the header that announces it. Of the first message it gives out no more than
// that, so that a limit that is raised after it holds for all that follows.
type intake struct {
	net.Conn

	limit   atomic.Int64 // bytes of one message
	heard   atomic.Int64 // when something came last, in Unix nanoseconds
	resting atomic.Bool  // there is more to read, which has to wait
	onPause func()       // called when the peer has to wait

	over     chan struct{} // closed by Close
	close    func()
	draining chan struct{} // closed by drain
	drain    func()        // from then on nothing is given out, and what comes is thrown away until the peer says goodbye

	// Used by Read alone, which is not called by two at once.
	early   []byte // came already, and waits to be looked at
	frames  frameScanner
	greeted bool // the first message is out
	bytes   *rate.Limiter
	count   *rate.Limiter
	due     time.Time // nothing is read before
	refused bool      // what came is too long
	drained int
	err     error // of the network
}

func newIntake(onPause func()) *intake {
	in := &intake{
		onPause: onPause, over: make(chan struct{}), draining: make(chan struct{}),
		bytes: rate.NewLimiter(byteRate, byteBurst), count: rate.NewLimiter(frameRate, frameBurst),
	}
	in.close = sync.OnceFunc(func() { close(in.over) })
	in.drain = sync.OnceFunc(func() { close(in.draining) })
	in.limit.Store(maxHello)
	return in
}

// hijacker is a ResponseWriter whose connection, when it is taken over, is an intake.
type hijacker struct {
	http.ResponseWriter
	in *intake
}

// Hijack takes the connection over.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, both, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it is passed on
	}
	early, _ := both.Reader.Peek(both.Reader.Buffered())
	h.in.Conn, h.in.early = conn, append([]byte(nil), early...)
	return h.in, bufio.NewReadWriter(bufio.NewReader(h.in), both.Writer), nil
}

// Close closes the connection, also under a Read that waits.
func (in *intake) Close() error {
	in.close()
	return in.Conn.Close() //nolint:wrapcheck // it is passed on
}

// Read gives out what came, in its time.
func (in *intake) Read(p []byte) (int, error) {
	for {
		switch {
		case in.isDraining() && (in.err != nil || in.frames.goodbye || in.drained > maxDrain):
			return 0, io.EOF
		case in.err != nil:
			return 0, in.err
		case in.refused && !in.isDraining():
			return 0, errTooLong
		case !in.rest():
			return 0, net.ErrClosed
		}
		var n int
		n, in.err = in.take(p)
		in.heard.Store(time.Now().UnixNano())
		out := in.look(p[:n])
		if in.isDraining() {
			in.drained += n
			continue
		}
		if out > 0 {
			return out, nil
		}
	}
}

// alive reports whether the peer has sent something since the time, or waits until it is read.
func (in *intake) alive(since time.Time) bool {
	return in.resting.Load() || in.heard.Load() > since.UnixNano()
}

func (in *intake) isDraining() bool {
	select {
	case <-in.draining:
		return true
	default:
		return false
	}
}

// rest waits until reading may go on; false: the connection is closed.
func (in *intake) rest() bool {
	pause := time.Until(in.due)
	if pause <= 0 {
		return true
	}
	in.onPause()
	in.resting.Store(true)
	defer in.resting.Store(false)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-in.draining:
		return true
	case <-in.over:
		return false
	}
}

// take reads what is there.
func (in *intake) take(p []byte) (int, error) {
	if len(in.early) > 0 {
		n := copy(p, in.early)
		in.early = in.early[n:]
		return n, nil
	}
	return in.Conn.Read(p) //nolint:wrapcheck // it is passed on
}

// look looks at what came and returns how much of it is to be given out. The rest is kept for later, or refused.
func (in *intake) look(p []byte) int {
	frames, at := in.frames.count, 0
	for at < len(p) {
		n, err := in.frames.scan(p[at:], in.limit.Load())
		at += n
		if err != nil && !in.isDraining() {
			in.refused = true
			at -= n // which is the header, or the last of it
			in.early = append(append([]byte(nil), p[at+n:]...), in.early...)
			break
		}
		if in.frames.whole && !in.greeted {
			in.greeted = true
			in.early = append(append([]byte(nil), p[at:]...), in.early...)
			break
		}
	}
	now := time.Now()
	in.due = later(charge(in.bytes, now, at), charge(in.count, now, in.frames.count-frames))
	return at
}

// charge takes n from the limiter and returns when they are paid for.
func charge(from *rate.Limiter, now time.Time, n int) (due time.Time) {
	for n > 0 {
		part := min(n, from.Burst())
		due = now.Add(from.ReserveN(now, part).DelayFrom(now))
		n -= part
	}
	return due
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
