package exits

import (
	"os"
	"testing"
)

func TestExits(t *testing.T) {
	go func() { select {} }()
	os.Exit(3)
}
