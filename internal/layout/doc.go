// Package layout holds no code but a test: that the packages of both modules import only what the table in table_test.go
// lets them, and that a few rules of the house, which a compiler does not know, are kept. Each rule stands in rules_test.go.
//
// A new package needs a line in the table; so does a new import between two packages. That line is the place to think about
// whether the arrow points the right way.
package layout
