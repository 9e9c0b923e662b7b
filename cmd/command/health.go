package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast/config"
)

// health is for the health checks of containers, whose images have nothing else that could ask.
func (p *Program) health() *cobra.Command {
	c := &cobra.Command{
		Use: "health", Short: "Ask a program on this machine whether it is ready",
		// Without it cobra prints the help and exits with 0, and a health check with a slip in it would be content for ever.
		RunE: func(*cobra.Command, []string) error {
			return errors.New("health of what? expected health starter, health worker or health codec")
		},
	}
	c.AddCommand(
		p.command("starter", "Ask the starter", "Ask the starter at starter.operator_address whether it is ready.",
			func(ctx context.Context, c config.Config) error {
				return ask(ctx, p.Stdout, "starter.operator_address", c.Starter.OperatorAddress, "/readyz")
			}, "starter"),
		p.command("worker", "Ask the worker", "Ask the worker at worker.operator_address whether it is ready.",
			func(ctx context.Context, c config.Config) error {
				return ask(ctx, p.Stdout, "worker.operator_address", c.Worker.OperatorAddress, "/readyz")
			}, "worker"),
		p.command("codec", "Ask the codec server", "Ask the codec server at codec.address whether it is there. It needs nobody, so that it is ready when it is.",
			func(ctx context.Context, c config.Config) error {
				return ask(ctx, p.Stdout, "codec.address", c.Codec.Address, codecHealth)
			}, "codec"),
	)
	return c
}

// codecHealth is where the codec server says that it is there. It has no listener for operators.
const codecHealth = "/healthz"

// ask prints the answer of a program at the address; one that is not 200 is an error. The key is where the address comes from.
func ask(ctx context.Context, out io.Writer, key, address, path string) error {
	if address == "" {
		return errors.New(key + " is empty; there is nobody to ask")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1" // it listens on all interfaces
	}
	ctx, cancel := context.WithTimeout(ctx, 2*checkPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	defer answer.Body.Close()
	const most = 4096
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New("not ready: " + strings.TrimSpace(string(text)))
	}
	_, err = out.Write(text)
	return err //nolint:wrapcheck // standard output's own
}
