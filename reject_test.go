package holdfast_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

func TestReject_IsASentenceForPeople(t *testing.T) {
	t.Parallel()
	err := holdfast.Reject("row %d: %w", 7, io.EOF)
	require.EqualError(t, err, "row 7: EOF")
	require.ErrorIs(t, err, io.EOF)
	found, ok := errors.AsType[*holdfast.Rejection](fmt.Errorf("book: %w", err))
	require.True(t, ok)
	require.EqualError(t, found, "row 7: EOF")
	require.EqualError(t, holdfast.Reject(" "), "rejected", "a failure is never without a word")
}

func TestReject_BoundsItsSentence(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("é", 1000), strings.Repeat("\xff", 1000)} {
		sentence := holdfast.Reject("x%s", text).Error()
		require.LessOrEqual(t, len(sentence), 500)
		require.True(t, utf8.ValidString(sentence))
	}
}
