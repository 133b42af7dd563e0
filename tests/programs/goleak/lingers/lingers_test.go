package lingers

import (
	"testing"
	"time"
)

// Gone two seconds after the test: too late by default, in time with a longer settle.
func TestEndsLate(t *testing.T) {
	go func() { time.Sleep(2 * time.Second) }()
}
