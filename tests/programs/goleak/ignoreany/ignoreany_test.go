package ignoreany

import "testing"

//go:noinline
func daemon(work func()) { work() }

//go:noinline
func startDaemon(work func()) { go daemon(work) }

func TestDaemon(t *testing.T) {
	never := make(chan int)
	startDaemon(func() { never <- 1 })
}
