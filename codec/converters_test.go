package codec_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-run/holdfast/codec"
)

func ExampleConverters() {
	// Each process gets the same text from its configuration; the first key encrypts.
	keys, err := codec.ParseKeys("2026-08:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=,2025-11:EjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8=")
	if err != nil {
		panic(err)
	}
	data, failures := codec.Converters(keys)
	options := client.Options{DataConverter: data, FailureConverter: failures}

	payload, err := options.DataConverter.ToPayload("for nobody else")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s with %s\n", payload.GetMetadata()["encoding"], payload.GetMetadata()["encryption-key-id"])
	fmt.Println(options.DataConverter.ToString(payload))
	fmt.Println(keys)
	// Output:
	// binary/encrypted with 2026-08
	// "for nobody else"
	// [keys: 2026-08, 2025-11]
}

func TestConvertersRoundTrip(t *testing.T) {
	t.Parallel()
	data, _ := codec.Converters(parse(t, "a:"+newKey()))
	payloads, err := data.ToPayloads("one", 2, []string{"three"})
	require.NoError(t, err)
	require.Len(t, payloads.GetPayloads(), 3)
	for _, p := range payloads.GetPayloads() {
		require.Equal(t, "binary/encrypted", string(p.GetMetadata()["encoding"]))
	}
	var (
		one   string
		two   int
		three []string
	)
	require.NoError(t, data.FromPayloads(payloads, &one, &two, &three))
	require.Equal(t, []any{"one", 2, []string{"three"}}, []any{one, two, three})
	require.NoError(t, data.FromPayload(plain(t, "from before"), &one))
	require.Equal(t, "from before", one)
}

func TestFailuresAreEncrypted(t *testing.T) {
	t.Parallel()
	data, failures := codec.Converters(parse(t, "a:"+newKey()))
	cause := temporal.NewApplicationErrorWithOptions("the secret cause", "Kind", temporal.ApplicationErrorOptions{Details: []any{"the secret details"}})
	failure := failures.ErrorToFailure(temporal.NewApplicationErrorWithCause("the secret message", "Kind", cause))
	for f := failure; f != nil; f = f.GetCause() {
		require.Equal(t, "Encoded failure", f.GetMessage())
		require.Empty(t, f.GetStackTrace())
		require.Equal(t, "binary/encrypted", string(f.GetEncodedAttributes().GetMetadata()["encoding"]))
	}
	require.NotContains(t, failure.String(), "secret")
	require.NotNil(t, failure.GetCause())

	back, ok := errors.AsType[*temporal.ApplicationError](failures.FailureToError(proto.CloneOf(failure)))
	require.True(t, ok)
	require.Equal(t, "the secret message", back.Message())
	require.ErrorContains(t, errors.Unwrap(back), "the secret cause")

	failure.EncodedAttributes = nil
	failure.StackTrace = "main.go:1"
	require.NoError(t, converter.EncodeCommonFailureAttributes(data, failure))
	require.Empty(t, failure.GetStackTrace())
	require.NotContains(t, failure.String(), "main.go")
	converter.DecodeCommonFailureAttributes(data, failure)
	require.Equal(t, "main.go:1", failure.GetStackTrace())
}

// TestInWorkflow is about the difference between a task that waits for a worker with the key and one that has failed.
// TestAFailureStaysEncrypted: neither reading it nor handing its error on makes it readable.
func TestAFailureStaysEncrypted(t *testing.T) {
	t.Parallel()
	_, failures := codec.Converters(parse(t, "a:"+newKey()))
	cause := temporal.NewApplicationError("the secret cause", "Kind")
	failure := failures.ErrorToFailure(temporal.NewApplicationErrorWithCause("the secret message", "Kind", cause))
	err := failures.FailureToError(failure)
	require.ErrorContains(t, err, "the secret message")
	require.NotContains(t, failure.String(), "secret")

	again := failures.ErrorToFailure(err)
	require.NotContains(t, again.String(), "secret")
	require.ErrorContains(t, failures.FailureToError(again), "the secret message")
	require.Nil(t, failures.ErrorToFailure(nil))
	require.NoError(t, failures.FailureToError(nil))
}

func TestInWorkflow(t *testing.T) {
	t.Parallel()
	stranger := encode(t, parse(t, "b:"+newKey()), plain(t, "a secret"))
	data, _ := codec.Converters(parse(t, "a:"+newKey()))
	// The client wraps what it is given, and the SDK's way to the workflow's converter leads through that.
	for _, dc := range []converter.DataConverter{data, converter.MakeTransferAware(data)} {
		aware, ok := dc.(workflow.ContextAware)
		require.True(t, ok)
		for _, outside := range []converter.DataConverter{dc, aware.WithContext(context.Background())} {
			require.ErrorIs(t, outside.FromPayload(stranger, new(string)), codec.ErrUnknownKey)
		}
		inside := aware.WithWorkflowContext(nil)
		for _, read := range []func(){
			func() { _ = inside.FromPayload(stranger, new(string)) },
			func() {
				_ = inside.FromPayloads(&commonpb.Payloads{Payloads: []*commonpb.Payload{stranger}}, new(string))
			},
		} {
			require.PanicsWithError(t, "this worker cannot read what the workflow stored, and leaves it to be tried again: "+
				`decrypt payload 1 of 1: key id "b": the key is not known here; known: a`, read)
		}
		p, err := inside.ToPayload("a secret")
		require.NoError(t, err)
		var back string
		require.NoError(t, dc.FromPayload(p, &back))
		require.Equal(t, "a secret", back)
		require.Error(t, inside.FromPayload(p, new(int)), "a value of another type is the author's mistake, and an error")
	}
}

func TestWorkflowWithConverters(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	data, failures := codec.Converters(parse(t, "a:"+newKey()))
	env.SetDataConverter(data).SetFailureConverter(failures)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow("signal", "a signal") }, 0)
	env.ExecuteWorkflow(func(ctx workflow.Context, in string) (string, error) {
		var signal string
		workflow.GetSignalChannel(ctx, "signal").Receive(ctx, &signal)
		var effect string
		err := workflow.SideEffect(ctx, func(workflow.Context) any { return "an effect" }).Get(&effect)
		return in + ", " + signal + ", " + effect, err
	}, "an argument")
	require.NoError(t, env.GetWorkflowError())
	var result string
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, "an argument, a signal, an effect", result)
}
