package codec_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-run/holdfast/codec"
)

const (
	token = "0123456789abcdef0123456789abcdef"
	webUI = "http://localhost:8233"
	self  = "http://localhost:8234"
)

// codecServer is a handler with what its answers are checked against.

type codecServer struct {
	http.Handler
	t       testing.TB
	plain   []*commonpb.Payload
	encoded []byte // the same as a client sends them
}

func newServer(t testing.TB, o codec.HandlerOptions) *codecServer {
	t.Helper()
	c := codec.New(parse(t, "a:"+newKey()))
	h, err := codec.NewHandler(c, token, o)
	require.NoError(t, err)
	s := &codecServer{Handler: h, t: t, plain: []*commonpb.Payload{plain(t, "a secret"), plain(t, 42)}}
	payloads, err := c.Encode(s.plain)
	require.NoError(t, err)
	s.encoded, err = protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	require.NoError(t, err)
	return s
}

func forWebUI(t testing.TB) *codecServer {
	t.Helper()
	return newServer(t, codec.HandlerOptions{Origins: []string{webUI, "https://temporal.example.com"}})
}

// do sends a request with headers written as name, value, name, value.

func (s *codecServer) do(method, target string, body io.Reader, headers ...string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, self+target, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return s.serve(r)
}

func (s *codecServer) serve(r *http.Request) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.NotContains(s.t, w.Body.String(), token)
	for name, values := range w.Header() {
		require.NotContains(s.t, strings.Join(values, " "), token, name)
	}
	require.Equal(s.t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(s.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Contains(s.t, w.Header().Values("Vary"), "Origin")
	return w.Result()
}

// decode asks as a client does.

func (s *codecServer) decode(headers ...string) *http.Response {
	s.t.Helper()
	return s.do(http.MethodPost, "/decode", bytes.NewReader(s.encoded), append(headers, "Content-Type", "application/json", "X-Namespace", "default")...)
}

// signIn returns the cookie that the page sets, as the browser sends it back.

func (s *codecServer) signIn() string {
	s.t.Helper()
	answer := s.post("/login", url.Values{"token": {token}}, "Origin", self)
	require.Equal(s.t, http.StatusSeeOther, answer.StatusCode)
	require.Len(s.t, answer.Cookies(), 1)
	return answer.Cookies()[0].Name + "=" + answer.Cookies()[0].Value
}

func (s *codecServer) post(target string, form url.Values, headers ...string) *http.Response {
	s.t.Helper()
	return s.do(http.MethodPost, target, strings.NewReader(form.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func (s *codecServer) requireDecoded(answer *http.Response) {
	s.t.Helper()
	got := read(s.t, answer)
	require.Equal(s.t, http.StatusOK, answer.StatusCode, got)
	var payloads commonpb.Payloads
	require.NoError(s.t, protojson.Unmarshal([]byte(got), &payloads))
	require.Len(s.t, payloads.GetPayloads(), len(s.plain))
	for i, p := range payloads.GetPayloads() {
		require.True(s.t, proto.Equal(s.plain[i], p), "%v", p)
	}
}

func read(t testing.TB, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}

func requireRefused(t testing.TB, answer *http.Response) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	require.Equal(t, "Bearer", answer.Header.Get("WWW-Authenticate"))
	require.Contains(t, read(t, answer), "Not signed in")
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	for _, path := range []string{"/decode", "/default/decode", "/a/b/decode", "/decode?preserveStorageRefs=true"} {
		answer := s.do(http.MethodPost, path, bytes.NewReader(s.encoded), "Authorization", "Bearer "+token)
		s.requireDecoded(answer)
		requireRefused(t, s.do(http.MethodPost, path, bytes.NewReader(s.encoded)))
	}
	for _, path := range []string{"/download", "/decoded", "/decode/", "/x"} {
		require.Equal(t, http.StatusNotFound, s.do(http.MethodPost, path, bytes.NewReader(s.encoded), "Authorization", "Bearer "+token).StatusCode, path)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		answer := s.do(method, "/decode", nil, "Authorization", "Bearer "+token)
		require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode, method)
		require.Equal(t, "OPTIONS, POST", answer.Header.Get("Allow"))
	}
	answer := s.do(http.MethodPost, "/decode", strings.NewReader("{"), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
}

// TestRemoteCodec lets the SDK's own client ask, which is the CLI's.

func TestRemoteCodec(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: server.URL + "/default",
		ModifyRequest: func(r *http.Request) error {
			r.Header.Set("X-Namespace", "default")
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		},
	})
	var many []*commonpb.Payload
	for i := range 10_000 { // a history at a time
		many = append(many, plain(t, i))
	}
	encoded, err := remote.Encode(many)
	require.NoError(t, err)
	require.Equal(t, "binary/encrypted", string(encoded[9_999].GetMetadata()["encoding"]))
	decoded, err := remote.Decode(encoded)
	require.NoError(t, err)
	require.Len(t, decoded, len(many))
	require.True(t, proto.Equal(many[9_999], decoded[9_999]))

	encoded[7].Data[20] ^= 1
	_, err = remote.Decode(encoded)
	require.ErrorContains(t, err, `decrypt payload 8 of 10000: key id "a"`)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{MaxBody: 1000})
	require.Less(t, len(s.encoded), 1000)
	exact := append(bytes.Clone(s.encoded), bytes.Repeat([]byte(" "), 1000-len(s.encoded))...)
	s.requireDecoded(s.do(http.MethodPost, "/decode", bytes.NewReader(exact), "Authorization", "Bearer "+token))
	answer := s.do(http.MethodPost, "/decode", bytes.NewReader(append(exact, ' ')), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	require.Equal(t, "The request is larger than 1000 bytes.\n", read(t, answer))

	s = newServer(t, codec.HandlerOptions{})
	answer = s.do(http.MethodPost, "/decode", strings.NewReader(strings.Repeat(" ", 8<<20+1)), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	answer = s.post("/login", url.Values{"token": {strings.Repeat("x", 16<<10)}})
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
}

// corsOf returns what the answer tells the browser about other origins.

// TestBelowAPrefix goes the browser's way, with its idea of a cookie's path.

func TestNewHandlerRefuses(t *testing.T) {
	t.Parallel()
	for token, says := range map[string]string{
		"":                                 "0 characters; expected at least 32",
		token[1:]:                          "31 characters; expected at least 32",
		token + "\n":                       "printable ASCII",
		"0123456789 abcdef 0123456789abcd": "printable ASCII",
		strings.Repeat("ä", 32):            "printable ASCII",
	} {
		_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{})
		require.ErrorContains(t, err, says)
		if token != "" {
			require.NotContains(t, err.Error(), token)
		}
	}
	for _, origin := range []string{
		"", "*", "null", "localhost:8233", "//localhost", "http://", "http://:8080", "http://localhost:8233/", "http://localhost/ui", "http://localhost?", "http://localhost#a",
		"http://user@localhost", "http://LOCALHOST", "HTTP://localhost", "http://localhost:80", "https://localhost:443", "http://localhost:", "ftp://localhost",
		"https://*.example.com", " http://localhost",
	} {
		_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{Origins: []string{webUI, origin}})
		require.ErrorContains(t, err, "is not an origin; expected", origin)
	}
	_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{Origins: []string{"http://[::1]:8233", "https://a.example", "http://localhost:443"}})
	require.NoError(t, err)
}
