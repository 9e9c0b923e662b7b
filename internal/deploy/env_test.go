package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// exampleLine is "NAME=value" or, for what has a default, "# NAME=value".
var exampleLine = regexp.MustCompile(`(?m)^(# )?([A-Z][A-Z0-9_]*)=(.*)$`)

// variables: .env.example has every variable, as required or with the default that docker-compose.yml has, and no other one.
func variables(d *deployment) (found []string) {
	used := map[string]string{} // by name, the line of .env.example
	for _, v := range interpolations(uncommented(d.read(composeFile))) {
		line := v.name + "="
		switch v.kind {
		case "-":
			line = "# " + line + expand(v.rest)
		case "":
			found = append(found, v.name+": without a default or a sentence it is empty and nobody is told")
		}
		if before, twice := used[v.name]; twice && before != line {
			found = append(found, v.name+": it has two defaults")
		}
		used[v.name] = line
	}
	for _, line := range exampleLine.FindAllStringSubmatch(d.read(envFile), -1) {
		if used[line[2]] != line[0] {
			found = append(found, fmt.Sprintf("%s: %q is in %s, and %q in %s", line[2], line[0], envFile, used[line[2]], composeFile))
		}
		delete(used, line[2])
	}
	for name := range used {
		found = append(found, name+": it is not in "+envFile)
	}
	return found
}

// uncommented is the text without the comments that have lines of their own.
func uncommented(text string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(text, "")
}

// hidden: git and the image's build pass over the secrets and over dumps of the databases, and not over what is needed.
func hidden(d *deployment) (found []string) {
	if !strings.Contains(d.read(".gitignore"), "\n/.env\n") {
		found = append(found, ".gitignore: .env could be committed")
	}
	if !strings.Contains("\n"+d.read(".dockerignore"), "\n.*\n") {
		found = append(found, ".dockerignore: .env could get into the image")
	}
	for file, dumps := range map[string]string{".gitignore": "/*.sql*", ".dockerignore": "*.sql*"} {
		lines := strings.Split(d.read(file), "\n")
		if !slices.Contains(lines, dumps) {
			found = append(found, file+": a dump of the databases beside docker-compose.yml would be taken along")
		}
		for _, line := range lines {
			if strings.Contains(line, ".sql") && line != dumps {
				found = append(found, file+": "+line+" could hide a migration")
			}
		}
	}
	return found
}

var (
	from      = regexp.MustCompile(`(?m)^FROM (?:--platform=\S+ )?(\S+)`)
	digest    = regexp.MustCompile(`^[a-z0-9./-]+:[a-z0-9]+@sha256:[0-9a-f]{64}$`)
	stamped   = regexp.MustCompile(`-X (\S+)\.(\w+)=\$VERSION`)
	goVersion = regexp.MustCompile(`(?m)^go (\S+)$`)
)

// image: it is built with the version of Go that the tests run with, and from nothing that is whatever is latest. Its program says which
// version it is.
func image(d *deployment) (found []string) {
	text := d.read("Dockerfile")
	want := "golang:" + goVersion.FindStringSubmatch(d.read("go.work"))[1] + "-bookworm"
	for i, stage := range from.FindAllStringSubmatch(text, -1) {
		switch {
		case i == 0 && stage[1] != want:
			found = append(found, fmt.Sprintf("Dockerfile: it is built with %s; go.work says %s", stage[1], want))
		case i > 0 && !digest.MatchString(stage[1]):
			found = append(found, "Dockerfile: "+stage[1]+" is another one tomorrow")
		}
	}
	if !strings.Contains(text, "\nUSER 65532:65532\n") {
		found = append(found, "Dockerfile: the program runs as root")
	}
	return append(found, stamp(d, text)...)
}

// stamp: the linker passes over a variable that it does not find.
func stamp(d *deployment, dockerfile string) (found []string) {
	into := stamped.FindStringSubmatch(dockerfile)
	module := strings.Fields(d.read("go.mod"))[1]
	passed := slices.ContainsFunc(slices.Collect(maps.Values(d.compose.Services)), func(s service) bool {
		return s.Build != nil && s.Build.Args["VERSION"] != ""
	})
	switch {
	case into == nil, !strings.Contains(dockerfile, "\nARG VERSION="), !passed:
		found = append(found, "Dockerfile: the program is not told its version")
	case into[1] != module+"/cmd/command", !strings.Contains(d.read("cmd/command/version.go"), "\nvar "+into[2]+" = "):
		found = append(found, "Dockerfile: there is no variable "+into[2]+" in "+into[1])
	}
	return found
}
