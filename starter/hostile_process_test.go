package starter_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hostileTarget is the environment variable that makes a process of the tests one of hostile clients, of the starter at the address.
const hostileTarget = "HOLDFAST_TEST_HOSTILE_TARGET"

func TestMain(m *testing.M) {
	if target := os.Getenv(hostileTarget); target != "" {
		attackForever(target)
		return
	}
	os.Exit(m.Run())
}

// attackers are hostile clients in a process of their own, so that what is measured is what they cost the starter.
type attackers struct {
	rounds  atomic.Int64  // connections that they have made
	started chan struct{} // closed when each of them has made one
	stop    func()        // returns when they are gone
}

// attack runs the hostile sessions until stop is called.
func attack(tb testing.TB, target string) *attackers {
	tb.Helper()
	at, err := url.Parse(target)
	require.NoError(tb, err)
	ctx, cancel := context.WithCancel(context.Background())
	self, err := os.Executable()
	require.NoError(tb, err)
	process := exec.CommandContext(ctx, self)
	process.Env = append(os.Environ(), hostileTarget+"="+at.Host)
	output, err := process.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, process.Start())
	a := &attackers{started: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewReader(output); ; {
			if _, err := lines.ReadString('\n'); err != nil {
				return
			}
			if a.rounds.Add(1) == hostileSessions {
				close(a.started)
			}
		}
	})
	a.stop = sync.OnceFunc(func() {
		cancel()
		reading.Wait()
		_ = process.Wait()
	})
	tb.Cleanup(a.stop)
	return a
}

// attackForever is what the process of hostile clients does. It yields the processors to the starter, as clients on other machines do.
func attackForever(address string) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
	streams := hostileStreams()
	for range hostileSessions {
		go func() {
			for {
				for _, stream := range streams {
					_ = sendRaw(address, stream)
					_, _ = fmt.Println("sent")
				}
			}
		}()
	}
	select {}
}

// hostileStreams are the frames of each connection, ready to be sent: all of the work is done once, before.
func hostileStreams() (streams [][]byte) {
	hello := `{"type":"hello","new":true,"client":"hostile0"}`
	small, large := `{"type":`+huge(64<<10)+`}`, `{"type":`+huge(128<<10)+`}`
	for _, text := range hostileFrames() {
		for _, first := range []string{hello, small, large} {
			stream := rawFrame(nil, first)
			streams = append(streams, rawFrame(rawFrame(stream, text), text))
		}
	}
	return streams
}

// rawFrame appends a text frame as a client sends it, masked with zeros.
func rawFrame(to []byte, text string) []byte {
	const fin, textFrame, masked, long = 0x80, 0x1, 0x80, 127
	to = append(to, fin|textFrame, masked|long)
	to = binary.BigEndian.AppendUint64(to, uint64(len(text)))
	return append(append(to, 0, 0, 0, 0), text...)
}

// sendRaw connects, sends the frames, and leaves without a word when one is answered, or when it is sent away.
func sendRaw(address string, stream []byte) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it leaves without a word
	request := "GET /test/socket HTTP/1.1\r\nHost: " + address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: holdfast.v1\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	answers := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		if line, err = answers.ReadString('\n'); err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
	}
	if _, err := conn.Write(stream); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // it has no time for goodbyes
	for {                                                           // an answer has no line break
		text, err := answers.ReadString('}')
		if err != nil || strings.Contains(text, `{"type":"ack"`) || strings.Contains(text, `"code"`) {
			return err //nolint:wrapcheck // how it ended
		}
	}
}
