package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A network may swallow what is sent, in both directions and without a word. The client waits for an answer for
// answerTime, but then tries the next connection of its pool, which is as silent; with tens of them that takes minutes.
// So the driver knows all connections, and when one turns out to be silent it breaks those to the same server that have been
// as silent since.
const (
	// dialTime and answerTime are how long the server may take to accept a connection and to answer, unless the address
	// says otherwise. They leave a commit time for a second try within a section's deadline.
	dialTime, answerTime = 3 * time.Second, 3 * time.Second
	// silentTime is how long a connection must have owed an answer before others are judged by it.
	silentTime = 2 * time.Second
)

// lines are the open connections to all servers.
type lines struct {
	began time.Time

	mu   sync.Mutex // protects open
	open map[*line]struct{}
}

func newLines() *lines { return &lines{began: time.Now(), open: map[*line]struct{}{}} }

// line is a connection to a server.
type line struct {
	*net.TCPConn
	lines  *lines
	last   atomic.Int64 // when something was sent or came, in nanoseconds since lines.began
	heard  atomic.Int64 // when something came
	broken atomic.Bool  // for its silence
}

// now is the time since the lines began.
func (l *lines) now() int64 { return int64(time.Since(l.began)) }

// dial is a dialer for the client, by TLS where there is a configuration.
func (l *lines) dial(timeout time.Duration, secure *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: timeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 4 * time.Second, Interval: time.Second, Count: 3,
	}}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the address
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			conn = l.add(tcp)
		}
		if secure == nil {
			return conn, nil
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return handshake(ctx, conn, address, secure)
	}
}

func handshake(ctx context.Context, conn net.Conn, address string, secure *tls.Config) (net.Conn, error) {
	if secure.ServerName == "" {
		secure = secure.Clone()
		secure.ServerName, _, _ = net.SplitHostPort(address)
	}
	secured := tls.Client(conn, secure)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("begin TLS: %w", err), conn.Close())
	}
	return secured, nil
}

func (l *lines) add(conn *net.TCPConn) *line {
	a := &line{TCPConn: conn, lines: l}
	a.heard.Store(l.now())
	a.last.Store(l.now())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[a] = struct{}{}
	return a
}

// breakSilent breaks the connections to the server from which nothing has come since.
func (l *lines) breakSilent(server string, since int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a := range l.open {
		if a.RemoteAddr().String() == server && a.heard.Load() <= since {
			a.broken.Store(true)
			_ = a.TCPConn.Close() // nothing was heard of it
		}
	}
}

// Read notices a silence.
func (a *line) Read(to []byte) (int, error) {
	n, err := a.TCPConn.Read(to)
	switch {
	case err == nil:
		now := a.lines.now()
		a.heard.Store(now)
		a.last.Store(now)
	case a.broken.Load():
		return n, os.ErrDeadlineExceeded // as the client would have found out by itself
	case errors.Is(err, os.ErrDeadlineExceeded):
		if last := a.last.Load(); a.lines.now()-last >= int64(silentTime) {
			a.lines.breakSilent(a.RemoteAddr().String(), last)
		}
	}
	return n, err //nolint:wrapcheck // it is io's contract
}

// Write notes that an answer is owed.
func (a *line) Write(from []byte) (int, error) {
	a.last.Store(a.lines.now())
	return a.TCPConn.Write(from) //nolint:wrapcheck // it is io's contract
}

// Close forgets the connection.
func (a *line) Close() error {
	a.lines.mu.Lock()
	delete(a.lines.open, a)
	a.lines.mu.Unlock()
	if err := a.TCPConn.Close(); !a.broken.Load() {
		return err //nolint:wrapcheck // it is io's contract
	}
	return nil
}
