package embedded

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"go.temporal.io/server/common/primitives"
)

// ports are those of the server's services and of its Web UI. The server takes numbers and not listeners, so each port is held
// by a listener of ours until the moment at which it is taken.
type ports struct {
	frontend, history, matching, worker, ui port
}

type port struct{ listener net.Listener }

// reserve finds the ports that are wanted, and free ones for the rest.
func reserve(o Options) (_ *ports, err error) {
	p := &ports{}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	if p.frontend, err = listen(o.Port); err != nil {
		return nil, fmt.Errorf("the port of the frontend: %w", err)
	}
	if o.UI {
		if p.ui, err = listen(o.UIPort); err != nil {
			return nil, fmt.Errorf("the port of the Web UI: %w", err)
		}
	}
	for _, inner := range []*port{&p.history, &p.matching, &p.worker} {
		if *inner, err = listen(0); err != nil {
			return nil, fmt.Errorf("a port for an inner service: %w", err)
		}
	}
	return p, nil
}

// services are the ports of the server itself.
func (p *ports) services() map[primitives.ServiceName]port {
	return map[primitives.ServiceName]port{
		primitives.FrontendService: p.frontend,
		primitives.HistoryService:  p.history,
		primitives.MatchingService: p.matching,
		primitives.WorkerService:   p.worker,
	}
}

func (p *ports) releaseServices() {
	for _, port := range p.services() {
		port.release()
	}
}

// release gives all ports free. It may be called again.
func (p *ports) release() {
	p.releaseServices()
	p.ui.release()
}

// listen holds the wanted port, or a free one for 0.
func listen(wanted int) (port, error) {
	if wanted == 0 {
		return listenFree()
	}
	l, err := net.Listen("tcp", joinPort(wanted)) //nolint:noctx // it does not wait
	return port{l}, err                           //nolint:wrapcheck // it names the address, and its callers what it is for
}

// listenFree looks below the numbers that systems hand out by themselves (from 32768 on Linux, from 49152 elsewhere): a port that
// is given free and taken again a moment later must not become that of somebody's outgoing connection in between.
func listenFree() (port, error) {
	const first, count, tries = 20000, 10000, 50
	for range tries {
		l, err := net.Listen("tcp", joinPort(first+rand.IntN(count))) //nolint:gosec,noctx // no secret, and it does not wait
		if err == nil {
			return port{l}, nil
		}
	}
	l, err := net.Listen("tcp", joinPort(0)) //nolint:noctx // as above
	return port{l}, err                      //nolint:wrapcheck // as in listen
}

func joinPort(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func (p port) address() string { return p.listener.Addr().String() }

func (p port) number() int {
	addr, _ := p.listener.Addr().(*net.TCPAddr)
	return addr.Port
}

func (p port) release() {
	if p.listener != nil {
		_ = p.listener.Close() // nothing was accepted; the second call says that it is closed
	}
}
