// Package httpbody: the body of a response is never closed, which keeps the connection's two
// goroutines.
package httpbody

import "net/http"

// Status asks url and returns the status code. `defer resp.Body.Close()` is missing.
func Status(client *http.Client, url string) (int, error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}
