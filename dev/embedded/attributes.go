package embedded

import (
	"go.temporal.io/api/enums/v1"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// TaskAttributes are the search attributes of every task, for [Options].
func TaskAttributes() map[string]enums.IndexedValueType {
	all := map[string]enums.IndexedValueType{}
	for _, name := range wire.SearchAttributes() {
		all[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
	}
	return all
}
