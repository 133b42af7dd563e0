// Package pointers breaks a rule of unsafe.Pointer, which only a build with -d=checkptr notices.
package pointers

import (
	"fmt"
	"os"
	"testing"
	"unsafe"
)

var kept *int64

func widen(one *int64) *[64]int64 {
	return (*[64]int64)(unsafe.Pointer(one))
}

func TestWidens(t *testing.T) {
	fmt.Fprintln(os.Stderr, "own line")
	kept = new(int64)
	if len(widen(kept)) != 64 {
		t.Fatal("no array")
	}
}
