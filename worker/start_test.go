package worker_test

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/worker"
)

// unready is a Temporal server whose namespace cannot be read the first time.
type unready struct {
	workflowservice.UnimplementedWorkflowServiceServer
	ready chan struct{} // closed when it can be
	polls chan struct{}
}

func (u *unready) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (u *unready) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	select {
	case <-u.ready:
		return &workflowservice.DescribeNamespaceResponse{NamespaceInfo: &namespacepb.NamespaceInfo{Name: "default"}}, nil
	default:
		return nil, status.Error(codes.NotFound, "not yet") // which the SDK does not try again by itself
	}
}

func (u *unready) PollWorkflowTaskQueue(ctx context.Context, _ *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	select {
	case u.polls <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return &workflowservice.PollWorkflowTaskQueueResponse{}, nil
}

func TestAStartThatFailedCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fake := &unready{ready: make(chan struct{}), polls: make(chan struct{}, 1)}
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, fake)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: listener.Addr().String(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)

	w, err := worker.New(c, open(t), worker.Options{Apps: []*holdfast.App{app("one")}})
	require.NoError(t, err)
	require.ErrorContains(t, w.Start(), "start the worker: ")
	require.ErrorContains(t, w.Start(), "start the worker: ")
	close(fake.ready)
	require.NoError(t, w.Start())
	<-fake.polls
	server.Stop() // before the worker, whose polls it would wait for
	w.Stop()
}
