package embedded

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is Temporal's Web UI.
type webUI struct {
	url    string
	server *server.Server
	ended  chan struct{}
}

// startUI starts the Web UI and waits until it answers. It ends the process when its port is taken, so that is looked for
// first.
func startUI(ctx context.Context, frontend string, wanted int) (*webUI, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(wanted)))
	if err != nil {
		return nil, fmt.Errorf("the port of the Web UI: %w", err)
	}
	addr, _ := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("the port of the Web UI: %w", err)
	}
	u := &webUI{url: "http://" + addr.String(), ended: make(chan struct{}), server: server.NewServer(
		server_options.WithConfigProvider(&config.Config{
			Host:                loopback,
			Port:                addr.Port,
			TemporalGRPCAddress: frontend,
			EnableUI:            true,
			CORS:                config.CORS{CookieInsecure: true}, // it is served over plain HTTP
			HideLogs:            true,
			DisableNewsFetch:    true, // nothing here calls out to the internet
		}),
	)}
	go func() {
		defer close(u.ended)
		_ = u.server.Start() // blocks; it answers, or the wait below says that it does not
	}()
	if err := u.await(ctx); err != nil {
		u.stop()
		return nil, err
	}
	return u, nil
}

func (u *webUI) await(ctx context.Context) error {
	const pause = 5 * time.Millisecond
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url+"/healthz", nil)
		if err != nil {
			return fmt.Errorf("wait for the Web UI: %w", err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("wait for the Web UI: %w", context.Cause(ctx))
		}
	}
}

func (u *webUI) stop() {
	u.server.Stop()
	<-u.ended
}
