package ignoretop

import "testing"

//go:noinline
func parkForever() { select {} }

func TestParks(t *testing.T) {
	go parkForever()
}
