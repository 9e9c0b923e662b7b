package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"google.golang.org/grpc/codes"

	"github.com/holdfast-run/holdfast/config"
)

// defaultTemporal is where Temporal is when nothing says otherwise. (The SDK's own default is localhost, which may be tried as ::1 first.)
const (
	defaultTemporal  = "127.0.0.1:7233"
	defaultNamespace = "default"
)

// connection is how to connect to Temporal: Temporal's own configuration, which its CLI and samples share, and Holdfast's on top.
func (p *Program) connection(c config.Temporal) (client.Options, error) {
	profile, err := p.profile(c)
	if err != nil {
		return client.Options{}, err
	}
	overlay(&profile, c)
	if err := errors.Join(checkAddress(profile.Address), checkFiles(c)); err != nil {
		return client.Options{}, err
	}
	o, err := profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return client.Options{}, fmt.Errorf("the connection to Temporal: %w", err)
	}
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, Reconnect()...)
	return o, nil
}

// profile is what Temporal's own configuration says.
func (p *Program) profile(c config.Temporal) (envconfig.ClientConfigProfile, error) {
	named, _ := variables(p.Environ).LookupEnv("TEMPORAL_CONFIG_FILE")
	for key, path := range map[string]string{"temporal.config_file": c.ConfigFile, "TEMPORAL_CONFIG_FILE": named} {
		if path == "" || key != "temporal.config_file" && c.ConfigFile != "" {
			continue // envconfig passes over a file that is not there, which is right for one that nobody named
		}
		if _, err := os.Stat(path); err != nil {
			return envconfig.ClientConfigProfile{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{
		ConfigFilePath: c.ConfigFile, ConfigFileProfile: c.Profile, ConfigFileStrict: true, EnvLookup: variables(p.Environ),
	})
	if err != nil {
		return envconfig.ClientConfigProfile{}, fmt.Errorf("read Temporal's own configuration (TEMPORAL_ variables and temporal.toml): %w", err)
	}
	return profile, nil
}

// overlay puts on top what Holdfast's configuration says.
func overlay(to *envconfig.ClientConfigProfile, c config.Temporal) {
	to.Address = first(c.Address, to.Address, defaultTemporal)
	to.Namespace = first(c.Namespace, to.Namespace, defaultNamespace)
	to.APIKey = first(c.APIKey.Reveal(), to.APIKey)
	if to.TLS == nil && (c.TLS != "auto" || c.TLSCAFile != "" || c.TLSCertFile != "" || c.TLSServerName != "") {
		to.TLS = &envconfig.ClientConfigTLS{}
	}
	if to.TLS == nil {
		return
	}
	to.TLS.Disabled = c.TLS == "off" || c.TLS == "auto" && to.TLS.Disabled
	to.TLS.ServerName = first(c.TLSServerName, to.TLS.ServerName)
	if c.TLSCAFile != "" {
		to.TLS.ServerCACertPath, to.TLS.ServerCACertData = c.TLSCAFile, nil
	}
	if c.TLSCertFile != "" {
		to.TLS.ClientCertPath, to.TLS.ClientCertData = c.TLSCertFile, nil
		to.TLS.ClientKeyPath, to.TLS.ClientKeyData = c.TLSKeyFile, nil
	}
}

// checkAddress looks at an address that may come from Temporal's own configuration, which does not. It does not show it: what is no
// address may hold a secret.
func checkAddress(address string) error {
	target := address
	if _, rest, found := strings.Cut(address, ":///"); found { // a resolver of gRPC's, such as dns:///temporal:7233
		target = rest
	}
	host, port, err := net.SplitHostPort(target)
	if err == nil && host != "" && port != "" && !strings.ContainsAny(host, "/@?# ") {
		return nil
	}
	return errors.New("the address of Temporal, from TEMPORAL_ADDRESS or temporal.toml, is not host:port")
}

// checkFiles names the key of a file that is not what it should be.
func checkFiles(c config.Temporal) error {
	var errs []error
	read := map[string][]byte{}
	for _, file := range []struct{ key, path string }{
		{"temporal.tls_ca_file", c.TLSCAFile}, {"temporal.tls_cert_file", c.TLSCertFile}, {"temporal.tls_key_file", c.TLSKeyFile},
	} {
		if file.path == "" {
			continue
		}
		content, err := os.ReadFile(file.path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file.key, err))
		}
		read[file.key] = content
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if ca := read["temporal.tls_ca_file"]; ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		errs = append(errs, fmt.Errorf("temporal.tls_ca_file: %s has no certificate in PEM form", c.TLSCAFile))
	}
	if c.TLSCertFile != "" {
		if _, err := tls.X509KeyPair(read["temporal.tls_cert_file"], read["temporal.tls_key_file"]); err != nil {
			errs = append(errs, fmt.Errorf("temporal.tls_cert_file and temporal.tls_key_file: %w", err))
		}
	}
	return errors.Join(errs...)
}

// first is the first that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// variables is an environment as os.Environ gives it.
type variables []string

// Environ returns all.
func (v variables) Environ() []string { return v }

// LookupEnv returns one; of several with the same name the last counts.
func (v variables) LookupEnv(name string) (value string, found bool) {
	for _, variable := range v {
		if key, text, ok := strings.Cut(variable, "="); ok && key == name {
			value, found = text, true
		}
	}
	return value, found
}

// refused reports an answer of Temporal that would be the same again: who asks may not, or asks what cannot be.
func refused(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument:
		return true
	default:
		return false
	}
}

// unreached reports an error of connecting that may pass by itself.
func unreached(err error) bool { return !refused(err) }

func (o *parts) dial(ctx context.Context, options client.Options) (err error) {
	o.temporal, err = client.DialContext(ctx, options)
	return err //nolint:wrapcheck // await says what it waits for
}
