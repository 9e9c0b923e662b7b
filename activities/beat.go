package activities

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Interceptor lets a worker beat for the activities of its apps; package worker installs it. It sees the details that an
// activity records itself, so that the worker's beats repeat them.
func Interceptor() interceptor.WorkerInterceptor { return &workerInterceptor{} }

type workerInterceptor struct {
	interceptor.WorkerInterceptorBase
}

func (*workerInterceptor) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &inbound{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type inbound struct {
	interceptor.ActivityInboundInterceptorBase
}

func (i *inbound) Init(out interceptor.ActivityOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.ActivityOutboundInterceptorBase{Next: out}})
}

func (i *inbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	return i.Next.ExecuteActivity(context.WithValue(ctx, beatsKey{}, &beats{last: time.Now()}), in)
}

type outbound struct {
	interceptor.ActivityOutboundInterceptorBase
}

// RecordHeartbeat notes what the activity records.
func (o *outbound) RecordHeartbeat(ctx context.Context, details ...any) {
	b, ok := ctx.Value(beatsKey{}).(*beats)
	if !ok {
		o.Next.RecordHeartbeat(ctx, details...)
		return
	}
	b.mu.Lock() // until it is sent: a beat of the worker's with older details must not overtake it
	defer b.mu.Unlock()
	b.details, b.last = details, time.Now()
	o.Next.RecordHeartbeat(ctx, details...)
}

type beatsKey struct{}

// beats is what an attempt of an activity has recorded.
type beats struct {
	mu      sync.Mutex // protects what follows, and orders what is sent
	details []any
	last    time.Time // when the activity beat itself
}

// beatFor beats for an activity until the returned function is called, which waits for the last beat. It does nothing
// without the interceptor and for a local activity, which has no beats.
func beatFor(ctx context.Context) (stop func()) {
	b, ok := ctx.Value(beatsKey{}).(*beats)
	info := activity.GetInfo(ctx)
	if !ok || info.IsLocalActivity {
		return func() {}
	}
	b.resume(ctx)
	ctx, cancel := context.WithCancel(context.WithValue(ctx, beatsKey{}, nil)) // not noted
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				b.send(ctx, info.HeartbeatTimeout)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// resume takes over the details of the attempt before, so that a beat does not erase them.
func (b *beats) resume(ctx context.Context) {
	if !activity.HasHeartbeatDetails(ctx) {
		return
	}
	const most = 16 // values of one beat
	raw, into := make([]converter.RawValue, most), make([]any, most)
	for i := range raw {
		into[i] = &raw[i]
	}
	if activity.GetHeartbeatDetails(ctx, into...) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, value := range raw {
		if value.Payload() != nil {
			b.details = append(b.details, value)
		}
	}
}

// send beats with the activity's own details. With a time-out that the author has set, it does so only while the activity's
// own last beat is younger than that.
func (b *beats) send(ctx context.Context, timeout time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if timeout == 0 || timeout == wire.StepHeartbeat || time.Since(b.last) < timeout {
		activity.RecordHeartbeat(ctx, b.details...)
	}
}

// wrap returns the author's activity with what it is promised: a context in which [Session] finds its way, and beats. The
// arguments stay, so that they are decoded as before; one that takes no context gets one before them, to beat with.
func (a *Activities) wrap(fn any) any {
	value := reflect.ValueOf(fn)
	typ := value.Type()
	takesContext := typ.NumIn() > 0 && typ.In(0) == reflect.TypeFor[context.Context]()
	call := value.Call
	if typ.IsVariadic() {
		call = value.CallSlice
	}
	if !takesContext {
		in := append([]reflect.Type{reflect.TypeFor[context.Context]()}, slices.Collect(typ.Ins())...)
		typ = reflect.FuncOf(in, slices.Collect(typ.Outs()), typ.IsVariadic())
	}
	return reflect.MakeFunc(typ, func(args []reflect.Value) []reflect.Value {
		ctx, _ := reflect.TypeAssert[context.Context](args[0])
		defer beatFor(ctx)()
		if takesContext {
			args[0] = reflect.ValueOf(context.WithValue(ctx, sessionKey{}, a))
		} else {
			args = args[1:]
		}
		results := call(args)
		if last := len(results) - 1; last >= 0 {
			results[last] = rejection(results[last])
			if takesContext {
				results[last] = cancelled(args[0], results[last])
			}
		}
		return results
	}).Interface()
}

// cancelled makes the refusal of a [Handle.Apply], which the activity returned, the cancellation that is the reason for it. The
// session refuses a task as soon as its cancellation is noted, and Temporal delivers the cancellation a moment later. Without
// the wait the activity would fail first, and the task with it.
func cancelled(in, result reflect.Value) reflect.Value {
	ctx, _ := reflect.TypeAssert[context.Context](in)
	err, _ := reflect.TypeAssert[error](result)
	var refused *temporal.ApplicationError
	if result.Type() != reflect.TypeFor[error]() || !errors.As(err, &refused) || refused.Type() != wire.ErrorTaskEnded {
		return result
	}
	if hearsCancel(ctx) {
		awaitCancel(ctx)
	}
	if ctx.Err() == nil {
		return result
	}
	return reflect.ValueOf(new(temporal.NewCanceledError(err.Error()))).Elem()
}

// hearsCancel reports whether a cancellation can reach the activity: by its beats, and not in Temporal's test environments.
func hearsCancel(ctx context.Context) bool {
	beating, _ := ctx.Value(beatsKey{}).(*beats)
	return beating != nil && (!activity.IsActivity(ctx) || activity.GetInfo(ctx).Namespace != testNamespace)
}

// awaitCancel waits for the end of the context, several times as long as a cancellation takes.
func awaitCancel(ctx context.Context) {
	const patience = 10 * time.Second
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// rejection makes a [holdfast.Rejection] that an activity returned what [report] makes of
// one; other results stay as they are.
func rejection(result reflect.Value) reflect.Value {
	err, _ := reflect.TypeAssert[error](result)
	var rejected *holdfast.Rejection
	var own *temporal.ApplicationError
	if result.Type() != reflect.TypeFor[error]() || !errors.As(err, &rejected) || errors.As(err, &own) {
		return result
	}
	return reflect.ValueOf(new(reject(rejected))).Elem()
}
