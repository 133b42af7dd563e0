package settles

import (
	"testing"
	"time"
)

// The goroutine is on its way out when the test ends.
func TestEndsSoonAfter(t *testing.T) {
	go func() { time.Sleep(300 * time.Millisecond) }()
}
