package sendnoreceiver

import "testing"

func TestFirstAnswerWins(t *testing.T) {
	backend := func() string { return "hit" }
	if got := First([]func() string{backend, backend, backend}); got != "hit" {
		t.Fatalf("got %q", got)
	}
}
