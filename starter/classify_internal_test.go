package starter

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestClassify_TellsTheRowsFaultFromAnOutage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want class
	}{
		{nil, classNone},
		{serviceerror.NewUnavailable("connection refused"), classAway},
		{serviceerror.NewDeadlineExceeded("late"), classAway},
		{context.DeadlineExceeded, classAway},
		{serviceerror.NewNamespaceNotFound("default"), classAway},
		{serviceerror.NewPermissionDenied("not yours", ""), classAway},
		{status.Error(codes.Unauthenticated, "no key"), classAway},
		{serviceerror.NewInvalidArgument("blob"), classRefused},
		{status.Error(codes.ResourceExhausted, "trying to send message larger than max (5 vs. 4)"), classRefused},
		{status.Error(codes.ResourceExhausted, "grpc: received message larger than max (5 vs. 4)"), classRefused},
		{serviceerror.NewResourceExhausted(0, "grpc: message too large"), classRefused},
		{serviceerror.NewResourceExhausted(0, "namespace rate limit exceeded"), classRow},
		{serviceerror.NewInternal("shard"), classRow},
		{serviceerror.NewNotFound("no such workflow"), classRow},
		{errors.New("encode the argument"), classRow},
	} {
		require.Equal(t, c.want, classify(c.err), "%v", c.err)
		if c.err != nil {
			require.Equal(t, c.want, classify(fmt.Errorf("start task x: %w", c.err)), "wrapped: %v", c.err)
		}
	}
}
