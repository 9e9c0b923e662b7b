package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

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
	if err := checkFiles(c); err != nil {
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
	if c.ConfigFile != "" { // envconfig passes over a file that is not there, which is right for one that nobody named
		if _, err := os.Stat(c.ConfigFile); err != nil {
			return envconfig.ClientConfigProfile{}, fmt.Errorf("temporal.config_file: %w", err)
		}
	}
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{
		ConfigFilePath: c.ConfigFile, ConfigFileProfile: c.Profile, EnvLookup: variables(p.Environ),
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

// checkFiles names the key of a file that cannot be read.
func checkFiles(c config.Temporal) error {
	var errs []error
	for _, file := range []struct{ key, path string }{
		{"temporal.tls_ca_file", c.TLSCAFile}, {"temporal.tls_cert_file", c.TLSCertFile}, {"temporal.tls_key_file", c.TLSKeyFile},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(file.path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file.key, err))
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

func (o *parts) dial(ctx context.Context, options client.Options) (err error) {
	o.temporal, err = client.DialContext(ctx, options)
	return err //nolint:wrapcheck // await says what it waits for
}
