package codec_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-run/holdfast/codec"
)

// plain is a payload as the default converter makes it.
func plain(t testing.TB, value any) *commonpb.Payload {
	t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(value)
	require.NoError(t, err)
	return p
}

// encode has one payload encrypted.
func encode(t testing.TB, keys codec.Keys, p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	encoded, err := codec.New(keys).Encode([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.Len(t, encoded, 1)
	return encoded[0]
}

func requireDecodes(t testing.TB, keys codec.Keys, encoded, to *commonpb.Payload) {
	t.Helper()
	decoded, err := codec.New(keys).Decode([]*commonpb.Payload{encoded})
	require.NoError(t, err)
	require.Len(t, decoded, 1)
	require.True(t, proto.Equal(to, decoded[0]), "%v", decoded[0])
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	keys := parse(t, "a:"+newKey())
	for name, value := range map[string]any{
		"text": "a secret", "nil": nil, "bytes": []byte{0, 1, 2}, "proto": &commonpb.WorkflowType{Name: "a secret"},
		"large": strings.Repeat("a secret", 1<<18), "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plain(t, value)
			before := proto.Clone(p)
			encoded := encode(t, keys, p)
			require.True(t, proto.Equal(before, p), "the codec must not change what it was given")
			require.Equal(t, map[string][]byte{"encoding": []byte("binary/encrypted"), "encryption-key-id": []byte("a")}, encoded.GetMetadata())
			require.NotContains(t, encoded.String(), "secret")
			require.NotContains(t, encoded.String(), "WorkflowType") // the metadata is encrypted too
			require.Less(t, proto.Size(encoded)-proto.Size(p), 120)
			before = proto.Clone(encoded)
			requireDecodes(t, keys, encoded, p)
			require.True(t, proto.Equal(before, encoded), "the codec must not change what it was given")
		})
	}
	requireDecodes(t, keys, encode(t, keys, &commonpb.Payload{}), &commonpb.Payload{})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := codec.New(parse(t, "a:"+newKey()))
	var payloads []*commonpb.Payload
	for i := range 100 {
		payloads = append(payloads, plain(t, i))
	}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			encoded, err := c.Encode(payloads)
			if err == nil {
				encoded, err = c.Decode(encoded)
			}
			if err != nil || len(encoded) != 100 || !proto.Equal(payloads[99], encoded[99]) {
				t.Errorf("%v, %d payloads", err, len(encoded))
			}
		})
	}
	callers.Wait()
}

func TestNonceDiffers(t *testing.T) {
	t.Parallel()
	keys, seen := parse(t, "a:"+newKey()), map[string]bool{}
	for range 1000 {
		data := encode(t, keys, plain(t, "the same")).GetData()
		require.Greater(t, len(data), 12)
		require.False(t, seen[string(data[:12])])
		seen[string(data[:12])] = true
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	oldKey, newKey := "old:"+newKey(), "new:"+newKey()
	before, during, after := parse(t, oldKey), parse(t, oldKey+","+newKey), parse(t, newKey+","+oldKey)
	p := plain(t, "a secret")
	for _, keys := range []codec.Keys{before, during, after} {
		requireDecodes(t, keys, encode(t, before, p), p)
		requireDecodes(t, keys, encode(t, during, p), p)
	}
	changed := encode(t, after, p)
	require.Equal(t, "new", string(changed.GetMetadata()["encryption-key-id"]))
	requireDecodes(t, during, changed, p)
	requireDecodes(t, after, changed, p)
	requireDecodes(t, parse(t, newKey), changed, p)

	_, err := codec.New(before).Decode([]*commonpb.Payload{p, changed})
	require.ErrorIs(t, err, codec.ErrUnknownKey)
	require.EqualError(t, err, `decrypt payload 2 of 2: key id "new": the key is not known here; known: old`)
}

func TestTurningOnAndOff(t *testing.T) {
	t.Parallel()
	text := "a:" + newKey()
	off, on := parse(t, "plain, "+text), parse(t, text)
	require.False(t, off.Encrypts())
	require.Equal(t, []string{"a"}, off.IDs())
	require.Equal(t, "[keys: plain, a]", off.String())
	p := plain(t, "not yet a secret")
	require.True(t, proto.Equal(p, encode(t, off, p)))
	requireDecodes(t, off, encode(t, on, p), p)
	requireDecodes(t, on, encode(t, off, p), p)
}

func TestPlainPasses(t *testing.T) {
	t.Parallel()
	for _, keys := range []codec.Keys{{}, parse(t, "a:"+newKey())} {
		for _, p := range []*commonpb.Payload{plain(t, "from before"), {}, nil, {Metadata: map[string][]byte{"encoding": []byte("binary/zlib")}}} {
			requireDecodes(t, keys, p, p)
		}
	}
}

func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	_, err := codec.New(codec.Keys{}).Encode([]*commonpb.Payload{plain(t, "a secret")})
	require.EqualError(t, err, "encrypt payload 1 of 1: there is no key")
	_, err = codec.New(codec.Keys{}).Decode([]*commonpb.Payload{encode(t, parse(t, "a:"+newKey()), plain(t, "a secret"))})
	require.EqualError(t, err, `decrypt payload 1 of 1: key id "a": the key is not known here; known: none`)
}

func TestTamperedIsRefused(t *testing.T) {
	t.Parallel()
	one, two := newKey(), newKey()
	keys := parse(t, "a:"+one+",same:"+one+",b:"+two)
	encoded := encode(t, keys, plain(t, "a secret"))
	for i := range encoded.GetData() {
		changed := proto.CloneOf(encoded)
		changed.Data[i] ^= 1
		refuses(t, keys, changed, `key id "a"`)
	}
	for _, length := range []int{0, 1, 12, 27, len(encoded.GetData()) - 1} {
		changed := proto.CloneOf(encoded)
		changed.Data = changed.GetData()[:length]
		refuses(t, keys, changed, `key id "a"`)
	}
	for _, id := range []string{"b", "same"} { // the id is authenticated, even where the key is the same
		changed := proto.CloneOf(encoded)
		changed.Metadata["encryption-key-id"] = []byte(id)
		refuses(t, keys, changed, `key id "`+id+`"`)
	}
	refuses(t, parse(t, "a:"+two), encoded, `key id "a"`)
}

func refuses(t testing.TB, keys codec.Keys, p *commonpb.Payload, says string) {
	t.Helper()
	_, err := codec.New(keys).Decode([]*commonpb.Payload{p})
	require.ErrorIs(t, err, codec.ErrNotAuthentic)
	require.ErrorContains(t, err, says)
	require.NotContains(t, err.Error(), "secret")
}

func TestUnknownKeyIsQuotedInPart(t *testing.T) {
	t.Parallel()
	keys := parse(t, "a:"+newKey())
	for _, id := range [][]byte{nil, []byte("\x00\n"), bytes.Repeat([]byte("x"), 1<<20)} {
		encoded := encode(t, keys, plain(t, 1))
		encoded.Metadata["encryption-key-id"] = id
		_, err := codec.New(keys).Decode([]*commonpb.Payload{encoded})
		require.ErrorIs(t, err, codec.ErrUnknownKey)
		require.Less(t, len(err.Error()), 200)
		require.NotContains(t, err.Error(), "\n")
	}
}

func FuzzDecode(f *testing.F) {
	keys := parse(f, "a:"+newKey())
	encoded := encode(f, keys, plain(f, "a secret"))
	f.Add("binary/encrypted", "a", encoded.GetData())
	f.Add("binary/encrypted", "a", encoded.GetData()[:12])
	f.Add("binary/encrypted", "b", []byte{})
	f.Add("binary/encrypted", "", []byte(nil))
	f.Add("", "a", []byte("garbage"))
	f.Fuzz(func(t *testing.T, encoding, id string, data []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding), "encryption-key-id": []byte(id)}, Data: data}
		decoded, err := codec.New(keys).Decode([]*commonpb.Payload{p})
		switch {
		case encoding != "binary/encrypted":
			require.NoError(t, err)
			require.Same(t, p, decoded[0])
		case bytes.Equal(data, encoded.GetData()) && id == "a":
			require.NoError(t, err)
		default:
			require.Error(t, err)
			require.Nil(t, decoded)
		}
	})
}
