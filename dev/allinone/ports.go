package allinone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// tries is how many ports are tried from the wanted one upwards.
const tries = 100

// port returns the wanted port of the loopback interface, or, unless the key was given, the next free one, and notes that it is
// another.
func (p *Program) port(ctx context.Context, what, key string, wanted int) (int, error) {
	listener, err := p.listenNear(ctx, key, "127.0.0.1", wanted)
	if err != nil {
		return 0, fmt.Errorf("find a port for %s: %w", what, err)
	}
	port := portOf(listener)
	p.noteOther(what, wanted, port)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("give port %d free: %w", port, err)
	}
	return port, nil
}

// listen listens on the address that the key has, or, unless the key was given, on the next free port of its host.
func (p *Program) listen(ctx context.Context, what, key, address string) (net.Listener, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	wanted, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	listener, err := p.listenNear(ctx, key, host, wanted)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	p.noteOther(what, wanted, portOf(listener))
	return listener, nil
}

func (p *Program) noteOther(what string, wanted, got int) {
	if wanted != 0 && wanted != got {
		p.notes = append(p.notes, fmt.Sprintf("Port %d is taken; for %s it is %d.", wanted, what, got))
	}
}

func (p *Program) listenNear(ctx context.Context, key, host string, wanted int) (net.Listener, error) {
	var config net.ListenConfig
	for port := wanted; ; port++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil && p.given(key) {
			return nil, fmt.Errorf("%s: %w; give it a port that is free, or none for the next free one after the default", key, err)
		}
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) || port == wanted+tries {
			return listener, err //nolint:wrapcheck // it names the address
		}
	}
}

func portOf(listener net.Listener) int {
	addr, _ := listener.Addr().(*net.TCPAddr)
	return addr.Port
}
