package httpbody

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	code, err := Status(&http.Client{Transport: &http.Transport{}}, server.URL)
	if err != nil || code != http.StatusOK {
		t.Fatal(code, err)
	}
}
