package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast/codec"
	"github.com/holdfast-run/holdfast/config"
)

func (p *Program) codec() *cobra.Command {
	return p.command("codec", "Decrypt for people who look at tasks in Temporal's Web UI or CLI",
		`Serve Temporal's codec protocol to who knows codec.token: the Web UI of one of codec.origins, after one has signed in at this
server's own page, or the CLI.

	temporal workflow show -w ID --codec-endpoint http://127.0.0.1:8089 --codec-auth "Bearer $TOKEN"

It needs temporal.encryption_keys and nothing else: neither Temporal nor the state. Whether it is there /healthz tells everybody.`, p.runCodec, "codec", "temporal", "log")
}

func (p *Program) runCodec(ctx context.Context, c config.Config) error {
	handler, err := CodecServer(c)
	if err != nil {
		return err
	}
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", c.Codec.Address)
	if err != nil {
		return fmt.Errorf("codec.address: %w", err)
	}
	ended := serve(listener, withHealth(handler), slog.New(p.handler(c.Log)))
	fmt.Fprintf(p.Stdout, "Ready: http://%s/\n", listener.Addr())
	select {
	case <-ctx.Done():
	case err = <-ended.err:
	}
	return errors.Join(err, ended.shutdown()) //nolint:contextcheck // ctx has ended
}

// withHealth answers at /healthz, to who asks, that the server is there; all else is the handler's.
func withHealth(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != codecHealth || r.Method != http.MethodGet {
			handler.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintln(w, "ok")
	})
}

// CodecServer is what decrypts for people; see package codec.
func CodecServer(c config.Config) (http.Handler, error) {
	switch {
	case c.Temporal.EncryptionKeys.IsEmpty():
		return nil, errors.New("temporal.encryption_keys is not set; there is nothing to decrypt with")
	case c.Codec.Token.IsEmpty():
		return nil, errors.New("codec.token is not set; who may have everything decrypted has to know something (openssl rand -base64 32)")
	}
	keys, err := encryptionKeys(c.Temporal)
	if err != nil {
		return nil, err
	}
	handler, err := codec.NewHandler(codec.New(keys), c.Codec.Token.Reveal(), codec.HandlerOptions{Origins: c.Codec.Origins})
	if err != nil {
		return nil, fmt.Errorf("codec.token and codec.origins: %w", err)
	}
	return handler, nil
}
