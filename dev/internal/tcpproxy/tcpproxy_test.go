package tcpproxy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/tcpproxy"
)

// link is a connection through a proxy, with both its ends.
type link struct {
	t              *testing.T
	proxy          *tcpproxy.Proxy
	listener       net.Listener
	client, target net.Conn
}

func newLink(t *testing.T) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	proxy, err := tcpproxy.Open(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	l := &link{t: t, proxy: proxy, listener: listener}
	l.client = l.dial()
	l.target = l.accept()
	return l
}

func (l *link) dial() net.Conn {
	l.t.Helper()
	conn, err := net.Dial("tcp", l.proxy.Address())
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (l *link) accept() net.Conn {
	l.t.Helper()
	conn, err := l.listener.Accept()
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (l *link) send(to net.Conn, text string) {
	l.t.Helper()
	_, err := to.Write([]byte(text))
	require.NoError(l.t, err)
}

func (l *link) requireGets(conn net.Conn, text string) {
	l.t.Helper()
	got := make([]byte, len(text))
	require.NoError(l.t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err := io.ReadFull(conn, got)
	require.NoError(l.t, err)
	require.Equal(l.t, text, string(got))
}

func (l *link) requireNothing(conn net.Conn) {
	l.t.Helper()
	require.NoError(l.t, conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(l.t, err, os.ErrDeadlineExceeded)
}

func TestProxy_PassesOnBothWays(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.send(l.client, "there")
	l.requireGets(l.target, "there")
	l.send(l.target, "back")
	l.requireGets(l.client, "back")
}

func TestProxy_PassesOnAnEnd(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.send(l.client, "last words")
	require.NoError(t, l.client.Close())
	l.requireGets(l.target, "last words")
	_, err := l.target.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestProxy_Silence_HoldsBothDirections(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Silence()
	l.send(l.client, "a")
	l.send(l.target, "b")
	l.requireNothing(l.target)
	l.requireNothing(l.client)
	l.proxy.Mend()
	l.requireGets(l.target, "a")
	l.requireGets(l.client, "b")
}

func TestProxy_Silence_HoldsOneDirection(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Silence(tcpproxy.ToTarget)
	l.send(l.client, "a")
	l.send(l.target, "b")
	l.requireGets(l.client, "b")
	l.requireNothing(l.target)
	l.proxy.Mend()
	l.proxy.Silence(tcpproxy.FromTarget)
	l.requireGets(l.target, "a")
	l.send(l.target, "c")
	l.requireNothing(l.client)
}

func TestProxy_Silence_HidesTheEnd(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Silence()
	require.NoError(t, l.client.Close())
	l.requireNothing(l.target)
	l.proxy.Mend()
	require.NoError(t, l.target.SetReadDeadline(time.Time{}))
	_, err := l.target.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestProxy_Silence_AcceptsAndSaysNothing(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Silence()
	late := l.dial()
	l.send(late, "hello")
	l.requireNothing(late)
	l.proxy.Mend()
	l.requireGets(l.accept(), "hello")
}

func TestProxy_Delay_KeepsTheOrder(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Delay(100 * time.Millisecond)
	l.send(l.client, "a")
	l.requireNothing(l.target)
	l.proxy.Delay(0)
	l.send(l.client, "b")
	l.requireGets(l.target, "ab")
}

func TestProxy_Reset_BreaksBothEnds(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Reset()
	for _, conn := range []net.Conn{l.client, l.target} {
		_, err := conn.Read(make([]byte, 1))
		require.True(t, errors.Is(err, syscall.ECONNRESET), "%v", err)
	}
	again := l.dial()
	l.send(again, "again")
	l.requireGets(l.accept(), "again")
}

func TestProxy_Close_EndsInSilence(t *testing.T) {
	t.Parallel()
	l := newLink(t)
	l.proxy.Silence()
	l.send(l.client, "a")
	l.proxy.Close()
	_, err := l.client.Read(make([]byte, 1))
	require.Error(t, err)
	_, err = net.Dial("tcp", l.proxy.Address())
	require.Error(t, err)
}
