package deploy

import (
	"fmt"
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
	goVersion = regexp.MustCompile(`(?m)^go (\S+)$`)
)

// image: it is built with the version of Go that the tests run with, and from nothing that is whatever is latest.
func image(d *deployment) (found []string) {
	text := d.read("Dockerfile")
	want := "golang:" + goVersion.FindStringSubmatch(d.read("go.work"))[1] + "-bookworm"
	for i, stage := range from.FindAllStringSubmatch(text, -1) {
		_, tag, _ := strings.Cut(stage[1], ":")
		switch {
		case i == 0 && stage[1] != want:
			found = append(found, fmt.Sprintf("Dockerfile: it is built with %s; go.work says %s", stage[1], want))
		case tag == "", tag == "latest":
			found = append(found, "Dockerfile: "+stage[1]+" has no version")
		}
	}
	if !strings.Contains(text, "\nUSER 65532:65532\n") {
		found = append(found, "Dockerfile: the program runs as root")
	}
	return found
}
