package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// ports are those of the server's services.
type ports struct {
	frontend, history, matching, worker int
}

func (p ports) grpc() map[string]int {
	return map[string]int{"frontend": p.frontend, "history": p.history, "matching": p.matching, "worker": p.worker}
}

// pick finds the wanted port, or a free one for 0, and free ones for the inner services. The server takes numbers and not
// listeners, so between here and there another process could in theory take one.
func pick(wanted int) (p ports, err error) {
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners { // all are held until all are found, or two could be the same
			err = errors.Join(err, l.Close())
		}
	}()
	for _, port := range []*int{&p.frontend, &p.history, &p.matching, &p.worker} {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(wanted)))
		if err != nil {
			return p, fmt.Errorf("port %d: %w", wanted, err)
		}
		listeners = append(listeners, l)
		addr, _ := l.Addr().(*net.TCPAddr)
		*port, wanted = addr.Port, 0
	}
	return p, nil
}
