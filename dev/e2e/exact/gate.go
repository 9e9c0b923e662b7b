package exact

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-run/holdfast"
)

// A gate is a directory. A function that waits at it leaves a file there with the number of its
// process, so that a test knows which process to pause, and goes on when there is a file "open".

// wait waits until the gate is open.
func wait(tx *holdfast.Tx, gate string) error {
	arrived := filepath.Join(gate, fmt.Sprint(os.Getpid()))
	if err := os.WriteFile(arrived, nil, 0o600); err != nil {
		return fmt.Errorf("arrive at the gate: %w", err)
	}
	const look = 2 * time.Millisecond
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		if _, err := os.Stat(filepath.Join(gate, "open")); err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-tx.Context().Done():
			return fmt.Errorf("wait at the gate: %w", context.Cause(tx.Context()))
		}
	}
}
