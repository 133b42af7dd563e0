#include "apps/weir/graphviz.h"

#include <errno.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "weir/bytes/mapped_file.h"

namespace weir::app {
namespace {

/// A file of its own in the folder for temporary ones, removed at the end.
struct TemporaryFile {
  std::string path = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
  int fd = mkstemp(path.data());
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd < 0) return;
    close(fd);
    unlink(path.c_str());
  }
};

}  // namespace

Result<void> write_svg(const std::string& graph, const std::string& path) {
  const TemporaryFile input;
  if (input.fd < 0) return fail(ErrorCode::io, "no temporary file", input.path, errno);
  WEIR_TRY_VOID(bytes::write_file(input.path, graph));
  std::string words[] = {"dot", "-Tsvg", "-o", path, input.path};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(),
                  words[3].data(), words[4].data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], nullptr, nullptr, argv, environ);
  if (error == ENOENT)
    return fail(ErrorCode::not_found,
                "-svg needs Graphviz, and there is no dot on this machine; install graphviz, or "
                "write the graph with -dot and draw it elsewhere");
  if (error != 0) return fail(ErrorCode::io, "cannot start dot", {}, error);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(ErrorCode::io, "dot failed; what it said is above", path);
}

}  // namespace weir::app
