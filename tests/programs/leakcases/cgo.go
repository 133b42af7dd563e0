//go:build cgo

package main

// static void *kept;
// static void keep(void) { kept = &kept; }
import "C"

func init() { C.keep() }
