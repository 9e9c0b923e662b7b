package workflows_test

import (
	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
)

// Short names for what Temporal's test environment hands to its listeners.
type (
	activityInfo  = activity.Info
	encodedValues = converter.EncodedValues
)

const mockAny = mock.Anything
