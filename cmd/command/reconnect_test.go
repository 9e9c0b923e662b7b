package command_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/holdfast-run/holdfast/cmd/command"
)

// TestACallWaitsForAServerThatIsAway has a server that does not know what it is asked, which it can only say when it is there.
func TestACallWaitsForAServerThatIsAway(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	conn, err := grpc.NewClient(address, append(command.Reconnect(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	defer conn.Close()
	call := func(method string) codes.Code {
		return status.Code(conn.Invoke(context.WithoutCancel(t.Context()), "/temporal.Service/"+method, &emptypb.Empty{}, &emptypb.Empty{}))
	}

	require.Equal(t, codes.Unavailable, call("GetSystemInfo"), "it asks whether the server is there")
	require.Equal(t, codes.Unavailable, call("ShutdownWorker"), "it keeps nobody from ending")
	answered := make(chan codes.Code)
	go func() { answered <- call("PollWorkflowTaskQueue") }()
	listener, err = net.Listen("tcp", address)
	require.NoError(t, err)
	server := grpc.NewServer()
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	require.Equal(t, codes.Unimplemented, <-answered)
}
