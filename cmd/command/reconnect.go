package command

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Reconnect are dial options for a Temporal client, for ConnectionOptions.DialOptions. With them starters and workers go on within about
// two seconds after a server that was away has come back. The SDK's own are made for a whole fleet that returns at once: after a minute
// its connection waits up to ten seconds, and then each of its calls as long again.
func Reconnect() []grpc.DialOption {
	const longest = 2 * time.Second // between two attempts to connect
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 10 * time.Second}
	params.Backoff.BaseDelay, params.Backoff.MaxDelay = 200*time.Millisecond, longest
	return []grpc.DialOption{grpc.WithConnectParams(params), grpc.WithChainUnaryInterceptor(waitForConnection)}
}

// waitForConnection has a call wait, within its deadline, until there is a connection, and not fail because there is none at the
// moment. Calls that ask whether the server is there are to fail at once, and to say why; and a worker that ends is not kept by a server
// that it cannot say good-bye to.
func waitForConnection(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	atOnce := strings.HasPrefix(method, "/grpc.health.") || strings.HasSuffix(method, "/GetSystemInfo") || strings.HasSuffix(method, "/ShutdownWorker")
	if !atOnce {
		options = append(options, grpc.WaitForReady(true))
	}
	return invoke(ctx, method, request, reply, conn, options...)
}
