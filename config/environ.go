package config

import (
	"regexp"
	"strings"
)

const (
	envPrefix     = "HOLDFAST_"
	envTestPrefix = envPrefix + "TEST_"
)

var (
	// serviceVariable and linkVariable are the names that Kubernetes and Docker links give to every container for a service whose
	// name begins with holdfast: HOLDFAST_STARTER_SERVICE_PORT_HTTP, HOLDFAST_PORT_8080_TCP_ADDR.
	serviceVariable = regexp.MustCompile(`_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	// linkAddress is what the plain HOLDFAST_PORT of such a service holds.
	linkAddress = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// environment is what the variables say: a layer of values, the file that HOLDFAST_CONFIG names, and the unknown ones.
// As everywhere the last of two variables of one name counts; an empty one is as good as none.
func environment(keys []Key, environ []string) (values layer, file string, unknown []error) {
	values = layer{}
	byEnv := make(map[string]Key, len(keys))
	for _, k := range keys {
		byEnv[k.Env()] = k
	}
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		k, isKey := byEnv[variable]
		switch {
		case !strings.HasPrefix(variable, envPrefix):
		case variable == fileEnv:
			file = value
		case isKey && value == "":
			delete(values, k.Name)
		case isKey:
			values[k.Name] = found{raw: value, source: variable}
		case !othersVariable(variable, value):
			unknown = append(unknown, unknownVariable(keys, variable))
		}
	}
	return values, file, unknown
}

// othersVariable reports a variable that begins like ours and is not meant for us.
func othersVariable(variable, value string) bool {
	return strings.HasPrefix(variable, envTestPrefix) ||
		serviceVariable.MatchString(variable) ||
		strings.HasSuffix(variable, "_PORT") && linkAddress.MatchString(value)
}

func unknownVariable(keys []Key, variable string) error {
	names := make([]string, 0, len(keys)+1)
	names = append(names, fileEnv)
	for _, k := range keys {
		names = append(names, k.Env())
	}
	return &KeyError{Key: variable, Source: "the environment", Problem: "no such setting" + suggest(variable, names)}
}
