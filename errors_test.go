package holdfast_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

func TestErrorsKeepWhatTheyWrap(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, holdfast.ErrOverrun, holdfast.ErrLockExpired)
	require.ErrorIs(t, &holdfast.SectionError{Function: "a.b", Err: io.EOF}, io.EOF)
	require.ErrorIs(t, &holdfast.PanicError{Function: "a.b", Value: io.EOF}, io.EOF)
	require.NoError(t, errors.Unwrap(&holdfast.PanicError{Function: "a.b", Value: "text"}))
	require.Equal(t, "a.b panicked: text", (&holdfast.PanicError{Function: "a.b", Value: "text"}).Error())
}
