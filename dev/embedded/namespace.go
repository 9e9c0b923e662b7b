package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// awaitNamespace asks for something that needs the namespace until it is served.
func awaitNamespace(ctx context.Context, c client.Client, namespace string) error {
	const pause = 5 * time.Millisecond
	for {
		_, err := c.WorkflowService().ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: 1})
		var missing *serviceerror.NamespaceNotFound
		var away *serviceerror.Unavailable
		if err == nil || !(errors.As(err, &missing) || errors.As(err, &away)) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("wait for namespace %q: %w", namespace, context.Cause(ctx))
		}
	}
}
