package mainsevenleak

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	m.Run()
	os.Exit(7)
}

func TestLeaks(t *testing.T) {
	go func() { select {} }()
}
