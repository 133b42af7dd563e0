package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A release is a Go version that has a place in the table: no candidates, no development versions.
type release struct{ minor, patch int }

func (r release) String() string { return fmt.Sprintf("go1.%d.%d", r.minor, r.patch) }

type toolchain struct {
	release release
	root    string // GOROOT
}

var releaseLine = regexp.MustCompile(`^go1\.(\d+)(?:\.(\d+))?$`)

// openToolchain reads the version of the toolchain at root.
func openToolchain(root string) (toolchain, error) {
	text, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return toolchain{}, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	m := releaseLine.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return toolchain{}, fmt.Errorf("%s: %q is no release", root, line)
	}
	minor, _ := strconv.Atoi(m[1])
	patch, _ := strconv.Atoi(m[2])
	return toolchain{release{minor, patch}, root}, nil
}

// findToolchains returns those of this machine from Go 1.19 on, ascending, one for each release.
func findToolchains() []toolchain {
	var roots []string
	for _, pattern := range []string{"/usr/lib/go-1.*", "/usr/local/go"} {
		found, _ := filepath.Glob(pattern)
		roots = append(roots, found...)
	}
	if cache, err := exec.Command("go", "env", "GOMODCACHE").Output(); err == nil {
		found, _ := filepath.Glob(strings.TrimSpace(string(cache)) + "/golang.org/toolchain@v0.0.1-go1.*.linux-*")
		roots = append(roots, found...)
	}
	seen := map[release]bool{}
	var all []toolchain
	for _, root := range roots {
		t, err := openToolchain(root)
		if err != nil || t.release.minor < 19 || seen[t.release] {
			continue
		}
		seen[t.release] = true
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return less(all[i].release, all[j].release) })
	return all
}

func less(a, b release) bool {
	return a.minor < b.minor || a.minor == b.minor && a.patch < b.patch
}

// build compiles the probe and returns the program's path, in directory.
func (t toolchain) build(probe, directory, arch, experiments string) (string, error) {
	output := filepath.Join(directory, "probe-"+arch)
	cmd := exec.Command(filepath.Join(t.root, "bin", "go"), "build", "-o", output, ".")
	cmd.Dir = probe
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOROOT="+t.root, "GOOS=linux", "GOARCH="+arch,
		"CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT="+experiments, "GOPROXY=off", "GOWORK=off",
		"GO111MODULE=on",
		// Before 1.21 a toolchain does not build anything when it stands in the module cache itself.
		"GOMODCACHE="+filepath.Join(directory, "mod"))
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", t.release, arch, err, said)
	}
	return output, nil
}

// layout builds the probe and evaluates all fields.
func (t toolchain) layout(probe, arch, experiments string, fields []field) ([]value, error) {
	directory, err := os.MkdirTemp("", "layoutgen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	program, err := t.build(probe, directory, arch, experiments)
	if err != nil {
		return nil, err
	}
	return layoutOf(program, fields)
}
