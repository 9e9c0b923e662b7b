package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is Temporal's Web UI.
type webUI struct {
	url    string
	server *server.Server
	ended  chan struct{} // closed when the server has ended
}

// startUI starts the Web UI on a port and waits until it answers. It ends the process if it cannot listen, so the port is held
// until the moment before.
func startUI(ctx context.Context, frontend, codec string, on port) (*webUI, error) {
	u := &webUI{url: "http://" + on.address(), ended: make(chan struct{}), server: server.NewServer(
		server_options.WithConfigProvider(&config.Config{
			Host:                loopback,
			Port:                on.number(),
			TemporalGRPCAddress: frontend,
			EnableUI:            true,
			CORS:                config.CORS{CookieInsecure: true}, // it is served over plain HTTP
			Codec:               config.Codec{Endpoint: codec, IncludeCredentials: codec != ""},
			HideLogs:            true,
			DisableNewsFetch:    true, // nothing here calls to the outside
		}),
	)}
	on.release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		defer close(u.ended)
		err := u.server.Start() // blocks until stop
		cancel(errors.Join(errors.New("it ended"), err))
	}()
	if err := poll(ctx, "the Web UI", func() error { return u.answers(ctx) }); err != nil {
		u.stop()
		return nil, err
	}
	return u, nil
}

func (u *webUI) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url+"/healthz", http.NoBody)
	if err != nil {
		return fmt.Errorf("ask for its health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for its health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}

// stop returns when the Web UI has ended.
func (u *webUI) stop() {
	u.server.Stop()
	<-u.ended
}
