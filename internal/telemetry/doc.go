// Package telemetry is what the packages share to be observed: instruments and their buckets, spans, trace contexts in the form in
// which they are stored and sent, and the trace's id in log records.
//
// Whoever was given no provider observes nothing and pays nothing for it: the zero values here do nothing.
package telemetry
