package config

import "fmt"

// suggest is "; did you mean X?" for the name that was most likely meant, or nothing.
func suggest(wrong string, names []string) string {
	const most = 3 // edits; with more, the guess is rather an insult
	best, distance := "", most+1
	for _, candidate := range names {
		if d := edits(wrong, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// edits is the Levenshtein distance in bytes: how many insertions, deletions and replacements lead from a to b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
