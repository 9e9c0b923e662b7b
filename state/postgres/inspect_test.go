package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServersThatSuit(t *testing.T) {
	t.Parallel()
	require.NoError(t, suits(140000, "14.0", "UTF8"))
	require.NoError(t, suits(180001, "18.1", "UTF8"))
	require.EqualError(t, suits(130022, "13.22", "UTF8"), "the server is PostgreSQL 13.22; version 14 or later is needed")
	require.EqualError(t, suits(150018, "15.18", "SQL_ASCII"), "the database has encoding SQL_ASCII; UTF8 is needed")
}
