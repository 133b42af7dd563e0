package more

import "testing"

func TestSends(t *testing.T) {
	c := make(chan string)
	go func() { c <- "too late" }()
}
