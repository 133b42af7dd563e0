//go:build cgo

package main

/*
#include <unistd.h>

extern void weirCallback(long);

static void block(void) { for (;;) pause(); }
static void block_in_go(long which) { weirCallback(which); }
*/
import "C"

func init() {
	register("cgo-blocked", func(name string) {
		expect(name, "kind=syscall")
		go func() { enter(name); C.block() }()
	})
	// Go calls C, which calls Go, which waits.
	register("cgo-callback", func(name string) {
		callbackName, callbackChannel = name, waitFor(name)
		go func() { C.block_in_go(7) }()
	})
}

var (
	callbackName    string
	callbackChannel chan int
)

//export weirCallback
func weirCallback(which C.long) {
	enter(callbackName)
	<-callbackChannel
}
