package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// pollInterval is the pause between two looks at something that is about to start. It tells nobody when it is ready.
const pollInterval = 5 * time.Millisecond

// awaitNamespace waits until the frontend serves the namespace and the history service its workflows. ctx's cause is the error
// when that ends before.
func awaitNamespace(ctx context.Context, frontend, namespace string) error {
	connection, err := grpc.NewClient(frontend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the frontend: %w", err)
	}
	defer connection.Close() //nolint:errcheck // what it was for has been done
	service := workflowservice.NewWorkflowServiceClient(connection)
	return poll(ctx, "the frontend", func() error { return serves(ctx, service, namespace) })
}

// serves asks for a workflow that does not exist: to know that it doesn't, the history service needs its shard.
func serves(ctx context.Context, service workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace,
		Execution: &common.WorkflowExecution{WorkflowId: "is-the-server-ready"},
	}, grpc.WaitForReady(true))
	err = serviceerror.FromStatus(serviceerror.ToStatus(err))
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return nil
	}
	return err //nolint:wrapcheck // poll says what it was for
}

// poll asks until there is no error. Its own has the cause for which ctx ended, and the last answer.
func poll(ctx context.Context, what string, ready func() error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, context.Cause(ctx), err)
		}
	}
}
