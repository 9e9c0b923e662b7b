package config

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// credentials matches the user part of a URL, up to the last "@": a password may hold any character. query matches what follows the
// address, where there may be another secret; schemes what an address begins with.
var (
	credentials = regexp.MustCompile(`://.*@`)
	query       = regexp.MustCompile(`(://[^?]*\?)[^"]*`)
	schemes     = regexp.MustCompile(`^([a-z]{1,12}:(//)|(sqlite|postgres|postgresql|redis|rediss|memory):)`)
)

// hostPort is an address whose port is at least leastPort: with 0 it is one to listen on, where the host may be left out,
// with 1 one to connect to.
func hostPort(leastPort int) kind[string] {
	expected := "host:port"
	if leastPort == 0 {
		expected = "host:port or :port"
	}
	return text(expected, func(s string) bool {
		host, port, err := net.SplitHostPort(s)
		if err != nil || strings.ContainsAny(host, "/@?# \t\r\n") || (host == "" && leastPort > 0) {
			return false
		}
		n, err := strconv.ParseUint(port, 10, 16)
		return err == nil && int(n) >= leastPort
	})
}

// name is what Temporal takes as a name.
func name() kind[string] {
	return text("a name without spaces", func(s string) bool {
		return s != "" && !strings.ContainsAny(s, " \t\r\n")
	})
}

// filePath is a path on this machine; whether it can be used is found out by who uses it.
func filePath() kind[string] {
	return text("a path, neither empty nor with a space at an end", func(s string) bool {
		return s != "" && s == strings.TrimSpace(s)
	})
}

// stateURL names a driver of package state and what the driver needs. That the driver is there and that it can use
// the rest is found out on opening.
func stateURL() kind[string] {
	k := text("sqlite:PATH, postgres://HOST/DATABASE, redis://HOST or memory:, a slash or @ in the password written as %2F or %40", func(s string) bool {
		scheme, rest, _ := strings.Cut(s, ":")
		switch scheme {
		case "memory":
			return rest == ""
		case "sqlite":
			return strings.TrimSpace(rest) != ""
		case "postgres", "postgresql", "redis", "rediss":
			u, err := url.Parse(s)
			return err == nil && u.Host != "" && !strings.Contains(u.EscapedPath()+u.RawQuery+u.EscapedFragment(), "@")
		}
		return false
	})
	k.shown = onlyScheme
	return k
}

// onlyScheme shows nothing of an address but what it begins with: in one that is wrong a password can be anywhere.
func onlyScheme(raw any) string {
	s, _ := raw.(string)
	if scheme := schemes.FindString(s); scheme != "" {
		return strconv.Quote(scheme+"…") + " (the rest is not shown)"
	}
	return "the value (not shown)"
}

// webURL is empty or the base URL of a web site. What comes out has no slash at its end.
func webURL() kind[string] {
	k := text("an http or https URL without a user, query or fragment, or empty", func(s string) bool {
		u, err := url.Parse(s)
		return s == "" || err == nil && isBase(u)
	})
	parse := k.parse
	k.parse = func(raw any) (string, error) {
		s, err := parse(raw)
		return strings.TrimRight(s, "/"), err
	}
	return k
}

func isBase(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// patterns is a list of hosts, or scheme://host, with the wildcards of path.Match.
func patterns() kind[[]string] {
	return list("a list of hosts, such as app.example.com, *.example.com or https://example.com", func(s string) bool {
		scheme, host, hasScheme := strings.Cut(s, "://")
		if !hasScheme {
			scheme, host = "https", s
		}
		_, err := path.Match(host, "")
		return err == nil && scheme != "" && host != "" && !strings.ContainsAny(host, "/@ \t\r\n")
	})
}

// origins is a list of web pages' origins, exactly as a browser writes them.
func origins() kind[[]string] {
	return list("a list of origins, such as https://temporal.example.com", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && isBase(u) && u.Path == "" && u.Scheme+"://"+u.Host == s
	})
}

// show is a value as an error may print it: quoted if it is text, of bounded length, without credentials.
func show(raw any) string {
	const most = 120
	s := fmt.Sprint(raw)
	if text, ok := raw.(string); ok {
		s = strconv.Quote(text)
	}
	s = query.ReplaceAllString(credentials.ReplaceAllString(s, "://"+redacted+"@"), "${1}…")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
