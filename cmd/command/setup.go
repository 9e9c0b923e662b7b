package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// retention is how long a namespace that --setup creates keeps the histories of workflows that have ended.
const retention = 7 * 24 * time.Hour

// errAbsent marks what is missing in Temporal and would not come by waiting.
var errAbsent = errors.New("missing in Temporal")

// prepare checks that the namespace is there and has the search attributes, or creates what is missing if it may.
func (o *parts) prepare(ctx context.Context, c config.Temporal) error {
	if err := o.ensureNamespace(ctx, c.Setup); err != nil {
		return err
	}
	if !c.SearchAttributes {
		return nil
	}
	return o.ensureSearchAttributes(ctx, c.Setup)
}

func (o *parts) ensureNamespace(ctx context.Context, create bool) error {
	_, err := o.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &missing):
		return fmt.Errorf("look for the namespace %q: %w", o.namespace, err)
	case !create:
		return fmt.Errorf("the namespace %q (temporal.namespace) is %w at %s; create it with --setup or "+
			"`temporal operator namespace create -n %s`", o.namespace, errAbsent, o.address, o.namespace)
	}
	_, err = o.temporal.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: o.namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		Description: "Made by Holdfast",
	})
	if _, exists := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); exists {
		return nil // another program has just made it
	}
	if err != nil {
		return fmt.Errorf("create the namespace %q: %w", o.namespace, err)
	}
	o.log.Info("created the namespace", "namespace", o.namespace, "retention", retention)
	return nil
}

// ensureSearchAttributes returns when the server knows all of them. It learns of new ones some seconds after their creation: the caller
// tries again meanwhile.
func (o *parts) ensureSearchAttributes(ctx context.Context, create bool) error {
	absent, err := o.absentSearchAttributes(ctx)
	if err != nil || len(absent) == 0 {
		return err
	}
	if !create {
		return fmt.Errorf("the search attributes %s are %w, in the namespace %q; create them with --setup or "+
			"`temporal operator search-attribute create -n %s%s`, or do without: temporal.search_attributes=false",
			strings.Join(absent, ", "), errAbsent, o.namespace, o.namespace, " --type Keyword --name "+strings.Join(absent, " --type Keyword --name "))
	}
	wanted := map[string]enums.IndexedValueType{}
	for _, name := range absent {
		wanted[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
	}
	_, err = o.temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: o.namespace, SearchAttributes: wanted})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("create the search attributes %s: %w", strings.Join(absent, ", "), err)
	}
	return fmt.Errorf("the server has not heard of the new search attributes %s yet", strings.Join(absent, ", "))
}

// absentSearchAttributes are those that the namespace lacks.
func (o *parts) absentSearchAttributes(ctx context.Context) (absent []string, err error) {
	answer, err := o.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: o.namespace})
	var denied *serviceerror.PermissionDenied
	var unknown *serviceerror.Unimplemented
	if errors.As(err, &denied) || errors.As(err, &unknown) {
		o.log.Warn("the search attributes cannot be checked; tasks are started without those that are missing", "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the search attributes: %w", err)
	}
	for _, name := range wire.SearchAttributes() {
		kind, found := answer.GetCustomAttributes()[name]
		switch {
		case !found:
			absent = append(absent, name)
		case kind != enums.INDEXED_VALUE_TYPE_KEYWORD:
			return nil, fmt.Errorf("the search attribute %s of the namespace %q is of type %s; expected Keyword, which is %w",
				name, o.namespace, kind, errAbsent)
		}
	}
	return absent, nil
}

// unprepared reports an error of prepare that may pass by itself.
func unprepared(err error) bool {
	return !errors.Is(err, errAbsent) && !refused(err)
}
