// The peer of weir/dump/scanner_bench.cc: what any reader of goroutine dumps in Go does at least,
// bufio.Scanner's lines with a look for headers; nothing of a stack is taken apart. Seconds for
// FILE, from memory.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"time"
)

func main() {
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	least := time.Hour
	headers := 0
	for i := 0; i < 5; i++ {
		begun := time.Now()
		scanner := bufio.NewScanner(bytes.NewReader(content))
		for scanner.Scan() {
			if bytes.HasPrefix(scanner.Bytes(), []byte("goroutine ")) {
				headers++
			}
		}
		least = min(least, time.Since(begun))
	}
	if headers == 0 {
		fmt.Fprintln(os.Stderr, "no goroutines")
		os.Exit(1)
	}
	fmt.Println(least.Seconds())
}
