package commands_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

func TestOperatorsAreToldHowAProgramIs(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	for _, program := range []string{"starter", "worker"} {
		said := s.start(program)
		ready := said[strings.LastIndex(said, "http://"):]
		ready = strings.TrimSpace(ready)
		status, text := get(t, http.DefaultClient, ready)
		require.Equal(t, 200, status, text)
		require.Equal(t, "ready", text)
		status, text = get(t, http.DefaultClient, strings.Replace(ready, "/readyz", "/healthz", 1))
		require.Equal(t, 200, status)
		require.Equal(t, "ok", text)

		status, text = get(t, http.DefaultClient, strings.Replace(ready, "/readyz", "/metrics", 1))
		require.Equal(t, 200, status)
		require.Contains(t, text, "\ntemporal_request_total{", "the SDK's numbers")
		require.Equal(t, program == "starter", strings.Contains(text, "\nholdfast_outbox_age_seconds 0"), "the starter's numbers")

		address := strings.TrimSuffix(strings.TrimPrefix(ready, "http://"), "/readyz")
		out, err := s.run("health", program, "--"+program+"-operator-address="+address)
		require.NoError(t, err)
		require.Equal(t, "ready\n", out)
	}
	_, err := s.run("health", "worker", "--worker-operator-address=127.0.0.1:1")
	require.ErrorContains(t, err, "ask whether it is ready: ")
	_, err = s.run("health", "starter", "--starter-operator-address=")
	require.ErrorContains(t, err, "starter.operator_address is empty; there is nobody to ask")
}

// TestAProgramThatWaitsSaysForWhat: it lives, but is not ready.
func TestAProgramThatWaitsSaysForWhat(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	s := newSetting(t, "127.0.0.1:1", "HOLDFAST_WORKER_OPERATOR_ADDRESS="+address)
	logged := make(chan string, 100)
	s.begin(lines(logged), "worker")
	for line := range logged {
		if strings.Contains(line, "waiting for Temporal at 127.0.0.1:1") {
			break
		}
	}
	status, text := get(t, http.DefaultClient, "http://"+address+"/readyz")
	require.Equal(t, 503, status)
	require.Equal(t, "waiting for Temporal at 127.0.0.1:1", text)
	_, err := s.run("health", "worker")
	require.ErrorContains(t, err, "not ready: waiting for Temporal at 127.0.0.1:1")
	status, _ = get(t, http.DefaultClient, "http://"+address+"/healthz")
	require.Equal(t, 200, status)
	_, err = s.run("worker")
	require.ErrorContains(t, err, "worker.operator_address: listen tcp "+address)
}

func TestAStarterServesByTLS(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	ca := newAuthority(t)
	s := newSetting(t, server.Address())
	_, err := s.run("starter", "--starter-tls-cert-file=/nowhere/c.pem", "--starter-tls-key-file="+ca.keyFile)
	require.ErrorContains(t, err, "starter.tls_cert_file and starter.tls_key_file: open /nowhere/c.pem")
	s.start("worker")
	said := s.start("starter", "--starter-tls-cert-file="+ca.certFile, "--starter-tls-key-file="+ca.keyFile)
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12}}}
	url := urlOf(t, said)
	require.Contains(t, url, "https://")
	status, _ := get(t, trusting, url)
	require.Equal(t, 200, status)
	page := openApp(t, trusting, url, "fast")
	page.send("CountTo", 2)
	page.untilIdle(2)
}

// TestTemporalBehindMutualTLS has a proxy before the server that wants a certificate.
func TestTemporalBehindMutualTLS(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	ca := newAuthority(t)
	address := ca.guard(t, server.Address())
	s := newSetting(t, address)
	args := []string{"--temporal-tls-ca-file=" + ca.certFile, "--temporal-tls-cert-file=" + ca.certFile, "--temporal-tls-key-file=" + ca.keyFile}
	s.start(append([]string{"worker"}, args...)...)
	page := open(t, urlOf(t, s.start(append([]string{"starter"}, args...)...)))
	page.send("CountTo", 2)
	page.untilIdle(2)
	out, err := s.run("doctor", args[0])
	require.ErrorContains(t, err, "of the checks failed", "without the client's certificate")
	require.Contains(t, out, "WRONG  temporal")
}

// authority is a certificate that vouches for itself, on the server's side and on the client's.
type authority struct {
	certFile, keyFile string
	pool              *x509.CertPool
	pair              tls.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	a := &authority{certFile: filepath.Join(t.TempDir(), "cert.pem"), keyFile: filepath.Join(t.TempDir(), "key.pem"), pool: x509.NewCertPool()}
	require.NoError(t, os.WriteFile(a.certFile, certPEM, 0o600))
	require.NoError(t, os.WriteFile(a.keyFile, keyPEM, 0o600))
	require.True(t, a.pool.AppendCertsFromPEM(certPEM))
	a.pair, err = tls.X509KeyPair(certPEM, keyPEM)
	require.NoError(t, err)
	return a
}

// guard is a proxy that lets those through who show the certificate.
func (a *authority) guard(t *testing.T, to string) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{a.pair}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert,
		NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go pipe(conn, to)
		}
	}()
	return listener.Addr().String()
}

func pipe(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}()
	_, _ = io.Copy(from, to)
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}
