package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var moduleVersion = regexp.MustCompile(`v0\.0\.1-go1\.(\d+)(?:\.(\d+))?\.linux-amd64\b`)

// download hands releases from 1.19 on that the table does not have to add: of each minor the first and
// the last patch, and, where these two differ, all between them, so that the change is found. The go
// command fetches and verifies them, as modules golang.org/toolchain, into a module cache of our own;
// each is deleted before the next one comes.
func download(t *table, arches []string, add func(toolchain, []string) error) error {
	list, err := exec.Command("go", "list", "-m", "-versions", "golang.org/toolchain").Output()
	if err != nil {
		return fmt.Errorf("listing golang.org/toolchain: %w", err)
	}
	minors := map[int][]string{}
	patches := map[string]release{}
	for _, m := range moduleVersion.FindAllStringSubmatch(string(list), -1) {
		minor, _ := strconv.Atoi(m[1])
		patch, _ := strconv.Atoi(m[2])
		if minor < 19 {
			continue
		}
		minors[minor] = append(minors[minor], m[0])
		patches[m[0]] = release{minor, patch}
	}
	get := func(versions []string) error {
		for _, version := range versions {
			if _, found := t.rows[key{arches[0], patches[version]}]; found {
				continue
			}
			if err := fetch(version, func(t toolchain) error { return add(t, arches) }); err != nil {
				return err
			}
		}
		return nil
	}
	for _, versions := range minors {
		first, last := versions[0], versions[len(versions)-1]
		if err := get([]string{first, last}); err != nil {
			return err
		}
		if t.sameRange(key{arches[0], patches[first]}, key{arches[0], patches[last]}) {
			continue
		}
		if err := get(versions); err != nil {
			return err
		}
	}
	return nil
}

// fetch downloads one version, hands it to add, and deletes it.
func fetch(version string, add func(toolchain) error) error {
	cache, err := os.MkdirTemp("", "layoutgen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	cmd := exec.Command("go", "mod", "download", "-modcacherw", "golang.org/toolchain@"+version)
	cmd.Dir = cache
	cmd.Env = append(os.Environ(), "GOMODCACHE="+filepath.Join(cache, "mod"), "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", version, err, said)
	}
	root := filepath.Join(cache, "mod", "golang.org", "toolchain@"+strings.ToLower(version))
	if err := makeExecutable(root); err != nil {
		return err
	}
	t, err := openToolchain(root)
	if err != nil {
		return err
	}
	// A build cache of its own, to be deleted with the toolchain.
	os.Setenv("GOCACHE", filepath.Join(cache, "build"))
	defer os.Unsetenv("GOCACHE")
	return add(t)
}

// makeExecutable: modules do not carry file modes; the go command sets them for a toolchain it runs
// itself, not for one that it only downloads.
func makeExecutable(root string) error {
	for _, pattern := range []string{"bin/*", "pkg/tool/*/*"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, file := range files {
			if err := os.Chmod(file, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}
