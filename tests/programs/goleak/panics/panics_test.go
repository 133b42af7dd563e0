package panics

import "testing"

func TestPanics(t *testing.T) {
	go func() { select {} }()
	panic("on purpose")
}
