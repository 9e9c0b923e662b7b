package command

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

const (
	// silence is after how long without a word from Temporal its connection is asked whether it is alive, the least that gRPC and
	// its servers allow, and answerTime how long it then has. What is sent and arrives nowhere breaks it after answerTime alone.
	silence, answerTime = 10 * time.Second, 3 * time.Second
	// callTime bounds a call that has no deadline. The SDK gives each of its own one, 10 s or that of a poll.
	callTime = 10 * time.Second
)

// Reconnect are dial options for a Temporal client, for ConnectionOptions.DialOptions. With them starters and workers go on within about
// two seconds after a server that was away has come back. The SDK's own are made for a whole fleet that returns at once: after a minute
// its connection waits up to ten seconds, and then each of its calls as long again. A connection that falls silent without a word of its end
// is replaced 3 s after something was sent, or else after 13 s, where the SDK's own is after 45 s; and no call waits for
// ever.
func Reconnect() []grpc.DialOption {
	const longest = 2 * time.Second // between two attempts to connect
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 10 * time.Second}
	params.Backoff.BaseDelay, params.Backoff.MaxDelay = 200*time.Millisecond, longest
	return []grpc.DialOption{
		grpc.WithConnectParams(params),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: silence, Timeout: answerTime, PermitWithoutStream: true}),
		grpc.WithChainUnaryInterceptor(limitCall, waitForConnection),
	}
}

// limitCall gives a call without a deadline one.
func limitCall(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTime)
		defer cancel()
	}
	return invoke(ctx, method, request, reply, conn, options...)
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
