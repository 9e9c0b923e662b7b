package codec

import (
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// What an encrypted payload says of itself, in the clear. Histories remember both names and the value: they stay as they are.
const (
	encoding      = "binary/encrypted"
	metadataKeyID = "encryption-key-id"
)

var (
	// ErrUnknownKey is returned for a payload that was encrypted with a key that is not among the [Keys].
	ErrUnknownKey = errors.New("the key is not known here")

	// ErrNotAuthentic is returned for an encrypted payload that is not as it was made: somebody changed it, or another key
	// goes by the same id.
	ErrNotAuthentic = errors.New("the payload was changed, or encrypted with another key of that id")
)

// codec is a converter.PayloadCodec.
type codec struct {
	keys Keys
}

// New returns a codec that encrypts each payload as a whole, what it says of its type included, with the first of the keys and
// AES-256-GCM; the nonce is random, and the key's id is authenticated. A payload becomes about 100 bytes longer.
//
// Decode returns a payload of any other encoding as it is. It fails with [ErrUnknownKey] or [ErrNotAuthentic], in sentences that
// name the key's id. Encode fails without any key, and returns the payloads as they are if the keys are not to encrypt.
//
// The codec is safe for concurrent use. [Converters] is what a Temporal client is given; the codec itself is for [NewHandler],
// and for what the SDK does with codecs beside that.
func New(keys Keys) converter.PayloadCodec { return codec{keys: keys} }

// Encode encrypts the payloads.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, "encrypt", c.encrypt)
}

// Decode decrypts those of the payloads that are encrypted.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, "decrypt", func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encoding {
			return p, nil
		}
		return c.decrypt(p)
	})
}

// each does one thing to all payloads, into a new slice: the given one is not the codec's.
func each(payloads []*commonpb.Payload, name string, do func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if result[i], err = do(p); err != nil {
			return nil, fmt.Errorf("%s payload %d of %d: %w", name, i+1, len(payloads), err)
		}
	}
	return result, nil
}

func (c codec) encrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if c.keys.IsEmpty() {
		return nil, errors.New("there is no key")
	}
	if !c.keys.Encrypts() {
		return p, nil
	}
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("marshal: %w", err)
	}
	id := []byte(c.keys.set.ids[0])
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encoding), metadataKeyID: id},
		Data:     c.keys.find(string(id)).Seal(nil, nil, plain, id), //nolint:gosec // the cipher takes a random nonce and puts it in front
	}, nil
}

func (c codec) decrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	id := p.GetMetadata()[metadataKeyID]
	key := c.keys.find(string(id))
	if key == nil {
		return nil, fmt.Errorf("key id %.40q: %w; known: %s", id, ErrUnknownKey, c.keys.list())
	}
	plain, err := key.Open(nil, nil, p.GetData(), id)
	if err != nil {
		return nil, fmt.Errorf("key id %q: %w", id, ErrNotAuthentic) // err says no more
	}
	result := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, result); err != nil {
		return nil, fmt.Errorf("key id %q: what was encrypted is not a payload: %w", id, err)
	}
	return result, nil
}
