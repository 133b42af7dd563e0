//go:build go1.24

package main

import (
	"runtime"
	"weak"
)

func init() {
	more = append(more, func() { live{}.Weak() }, func() { live{}.Cleanup() }, func() { live{}.Unreferenced() })
}

var globalWeak weak.Pointer[holder]

// As long as the object is there (and it is: the goroutine has it), anybody may get it from the weak
// pointer and close the channel.
func (live) Weak() {
	h := &holder{c: make(chan int)}
	globalWeak = weak.Make(h)
	go func() { <-h.c; runtime.KeepAlive(h) }()
}

func (live) Cleanup() {
	c := make(chan int)
	h := &holder{}
	runtime.AddCleanup(h, func(c chan int) { close(c) }, c)
	globals = append(globals, h)
	go func() { <-c }()
}

var pinner runtime.Pinner

// C may have what is pinned.
func (live) Unreferenced() {
	h := &holder{c: make(chan int)}
	pinner.Pin(h)
	go func() { <-h.c }()
}
