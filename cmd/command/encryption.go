package command

import (
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/codec"
	"github.com/holdfast-run/holdfast/config"
)

// Encrypt has a client encrypt all that it stores in Temporal, if temporal.encryption_keys is set.
func Encrypt(o *client.Options, c config.Temporal, log *slog.Logger) error {
	if c.EncryptionKeys.IsEmpty() {
		return nil
	}
	keys, err := encryptionKeys(c)
	if err != nil {
		return err
	}
	if !keys.Encrypts() {
		log.Warn("temporal.encryption_keys begins with \"plain\": what is encrypted is read, but nothing is encrypted")
	}
	o.DataConverter, o.FailureConverter = codec.Converters(keys)
	return nil
}

func encryptionKeys(c config.Temporal) (codec.Keys, error) {
	keys, err := codec.ParseKeys(c.EncryptionKeys.Reveal())
	if err != nil {
		return codec.Keys{}, fmt.Errorf("temporal.encryption_keys: %w", err)
	}
	return keys, nil
}
