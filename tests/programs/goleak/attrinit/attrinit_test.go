package attrinit

import "testing"

var queue = make(chan int)

func init() {
	go func() {
		for range queue {
		}
	}()
}

func TestUsesIt(t *testing.T) { queue <- 1 }
