package codec

import (
	"context"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
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
	return data, temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	})
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
