package command_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/holdfast-run/holdfast/cmd/command"
)

// callers is a connection, by our options, through a network that swallows what its first connections carry once they are silent.
func callers(t *testing.T, handler grpc.StreamHandler) (call func(context.Context) codes.Code, silent *atomic.Bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.UnknownServiceHandler(handler))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	address, silent := swallowing(t, listener.Addr().String())
	conn, err := grpc.NewClient(address, append(command.Reconnect(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return func(ctx context.Context) codes.Code {
		return status.Code(conn.Invoke(ctx, "/temporal.Service/Call", &emptypb.Empty{}, &emptypb.Empty{}))
	}, silent
}

// swallowing is a proxy whose first connection falls silent, in both directions and without being closed.
func swallowing(t *testing.T, server string) (address string, silent *atomic.Bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	silent = &atomic.Bool{}
	go func() {
		swallows := silent
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			go carry(from, to, swallows)
			go carry(to, from, swallows)
			swallows = new(atomic.Bool) // the next one passes all
		}
	}()
	return listener.Addr().String(), silent
}

func carry(from, to net.Conn, swallows *atomic.Bool) {
	defer to.Close()
	packet := make([]byte, 1<<16)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		if swallows.Load() {
			continue
		}
		if _, err := to.Write(packet[:n]); err != nil {
			return
		}
	}
}

func answer(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(&emptypb.Empty{}); err != nil && err != io.EOF { //nolint:errorlint // gRPC returns it as it is
		return err
	}
	return stream.SendMsg(&emptypb.Empty{})
}

// TestReconnect_ReplacesASilentConnection: what was called fails, and what is called then comes through.
func TestReconnect_ReplacesASilentConnection(t *testing.T) {
	t.Parallel()
	call, silent := callers(t, answer)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.Equal(t, codes.OK, call(ctx))
	silent.Store(true)
	require.Equal(t, codes.Unavailable, call(ctx))
	require.Equal(t, codes.OK, call(ctx))
}

// TestReconnect_LimitsACall: one without a deadline has one when it comes to the server.
func TestReconnect_LimitsACall(t *testing.T) {
	t.Parallel()
	call, _ := callers(t, func(_ any, stream grpc.ServerStream) error {
		if _, limited := stream.Context().Deadline(); limited {
			return status.Error(codes.AlreadyExists, "a deadline")
		}
		return status.Error(codes.NotFound, "a deadline")
	})
	require.Equal(t, codes.AlreadyExists, call(context.WithoutCancel(t.Context())))
}
