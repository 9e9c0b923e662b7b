package codec

import (
	"context"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
)

// Converters returns what client.Options need so that everything is encrypted: DataConverter, for values, and FailureConverter,
// for errors, whose messages and stack traces would be readable without it. Replayers take the same two. Both are Temporal's
// default ones with the codec of [New] behind them, and are safe for concurrent use.
//
// In a workflow, a payload that cannot be decrypted is a panic and not an error, for the reason in the package comment; it needs
// the worker's WorkflowPanicPolicy to be BlockWorkflow, as it is by default.
func Converters(keys Keys) (converter.DataConverter, converter.FailureConverter) {
	c := New(keys)
	data := dataConverter{
		DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c),
		inWorkflow:    converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), insistent{c}),
	}
	return data, failureConverter{temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	}), data}
}

// failureConverter makes up for the default one's decrypting in place: it would leave the message readable in the failure that was
// handed in (of a local activity that is the one on its way to the server), and in the one that an error goes back into when a workflow
// returns it as its own.
type failureConverter struct {
	converter.FailureConverter
	data converter.DataConverter
}

// ErrorToFailure returns the failure with nothing readable in it.
func (c failureConverter) ErrorToFailure(err error) *failurepb.Failure {
	if err == nil {
		return nil
	}
	failure, _ := proto.Clone(c.FailureConverter.ErrorToFailure(err)).(*failurepb.Failure)
	for f := failure; f != nil; f = f.GetCause() {
		if isSealed(f) {
			continue
		}
		if err := converter.EncodeCommonFailureAttributes(c.data, f); err != nil {
			panic(fmt.Errorf("encrypt a failure: %w", err)) // as the default one does: there is no way to return it, and in clear it must not go
		}
	}
	return failure
}

// FailureToError returns the error, and leaves the failure as it is.
func (c failureConverter) FailureToError(failure *failurepb.Failure) error {
	if failure == nil {
		return nil
	}
	own, _ := proto.Clone(failure).(*failurepb.Failure)
	return c.FailureConverter.FailureToError(own) //nolint:wrapcheck // it is the result
}

// isSealed reports a failure whose message and stack are in its attributes alone. What it says instead of a message is the SDK's.
func isSealed(f *failurepb.Failure) bool {
	const instead = "Encoded failure"
	return f.GetEncodedAttributes() != nil && f.GetMessage() == instead && f.GetStackTrace() == ""
}

// dataConverter is another one in a workflow. It is a workflow.ContextAware.
type dataConverter struct {
	converter.DataConverter
	inWorkflow converter.DataConverter
}

// WithWorkflowContext returns the converter for code of a workflow.
func (d dataConverter) WithWorkflowContext(workflow.Context) converter.DataConverter {
	return d.inWorkflow
}

// WithContext returns the converter for other code.
func (d dataConverter) WithContext(context.Context) converter.DataConverter { return d }

// insistent is a codec that panics instead of failing to decode. The panic is of this package's making, and package workflows
// knows it by that: it does not take it for one of the task's.
type insistent struct {
	converter.PayloadCodec
}

// Decode decrypts as the codec does, or panics.
func (i insistent) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	result, err := i.PayloadCodec.Decode(payloads)
	if err != nil {
		panic(fmt.Errorf("this worker cannot read what the workflow stored, and leaves it to be tried again: %w", err))
	}
	return result, nil
}
