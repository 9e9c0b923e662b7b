package starter

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
)

// errNewer reports a row that names what this program does not know. A newer program has
// most likely written it, and will do it.
var errNewer = errors.New("this program does not know it; a newer one may")

// class is what an error of Temporal says about the row that met it.
type class int

const (
	// classNone: there is no error.
	classNone class = iota
	// classAway: Temporal, or the way to it, is out of order. No row can be done.
	classAway
	// classRow: this row failed. A later attempt may succeed, and other rows may as well.
	classRow
	// classRefused: this row can never succeed, however often it is tried.
	classRefused
)

// classify classifies an error of the Temporal client: one of package serviceerror, a bare
// gRPC status (the SDK hands on some), or one that arose in this process.
func classify(err error) class {
	var noNamespace *serviceerror.NamespaceNotFound
	var passive *serviceerror.NamespaceNotActive
	if errors.As(err, &noNamespace) || errors.As(err, &passive) {
		return classAway
	}
	status := serviceerror.ToStatus(err)
	switch status.Code() { //nolint:exhaustive // all others are the row's own
	case codes.OK:
		return classNone
	case codes.InvalidArgument, codes.OutOfRange:
		return classRefused
	case codes.ResourceExhausted:
		if tooLarge(status.Message()) {
			return classRefused
		}
		return classRow // a limit on rates passes
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.PermissionDenied, codes.Unauthenticated:
		return classAway
	default:
		return classRow
	}
}

// tooLarge reports gRPC's sentence about a request that exceeds the limit on messages. It has
// the same code as a limit on rates.
func tooLarge(message string) bool {
	return strings.Contains(message, "larger than max") || strings.Contains(message, "message too large")
}

// whyRefused is what the page learns about a task that Temporal refuses; the log says more.
func whyRefused(task, id string, err error) string {
	if tooLarge(err.Error()) {
		return fmt.Sprintf("%s could not be started: its argument is too large (%s)", task, id)
	}
	return fmt.Sprintf("%s could not be started (%s)", task, id)
}
