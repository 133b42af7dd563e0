// vectors: goroutines that have a value in a vector register all the time, and end the program with
// 3 when it changes.
package main

import (
	"fmt"
	"os"
	"time"
)

// hold has pattern in all of a 32-byte register for so many rounds. False if it changed.
//
//go:noescape
func hold(rounds, pattern uint64) bool

func main() {
	for i := 0; i < 4; i++ {
		go func() {
			for hold(1<<20, 0x0123456789abcdef) {
			}
			os.Exit(3)
		}()
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
