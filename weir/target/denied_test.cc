#include "weir/target/denied.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <stdexcept>

#include "tests/support/child.h"
#include "weir/target/live_memory.h"
#include "weir/target/process.h"
#include "weir/target/stop.h"

namespace weir::target {
namespace {

using test_support::Child;

constexpr uid_t nobody_uid = 65534;

Child program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WEIR_TARGET_PROGRAM);
  auto child = Child::start(arguments);
  if (!child) throw std::runtime_error(to_string(child.error()));
  auto line = child->wait_for_line("ready");
  if (!line) throw std::runtime_error(to_string(line.error()));
  return std::move(*child);
}

/// What `look` returns in a forked process, which `prepare` may have made a lesser one.
std::string in_other_process(const std::function<void()>& prepare,
                             const std::function<std::string()>& look) {
  int ends[2];
  if (pipe(ends) != 0) return "pipe";
  const pid_t pid = fork();
  if (pid == 0) {
    prepare();
    const std::string text = look();
    const ssize_t n = write(ends[1], text.data(), text.size());
    _exit(n == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string out;
  char room[4096];
  for (ssize_t n = 0; (n = read(ends[0], room, sizeof room)) > 0;) {
    out.append(room, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  waitpid(pid, nullptr, 0);
  return out;
}

void become_nobody() {
  if (setgid(nobody_uid) != 0 || setuid(nobody_uid) != 0) _exit(9);
}

std::string open_text(int pid) {
  const auto memory = LiveMemory::open(pid);
  return memory ? "opened" : to_string(memory.error());
}

std::string stop_text(int pid) {
  const auto report = while_stopped(pid, {}, [](StoppedProcess&) {});
  return report ? "stopped" : to_string(report.error());
}

#define WEIR_NEEDS_ROOT \
  if (geteuid() != 0) GTEST_SKIP() << "needs root to make lesser processes"

TEST(Denied, AnotherUser) {
  WEIR_NEEDS_ROOT;
  Child child = program({"sleep"});
  const std::string process = "process " + std::to_string(child.pid()) + " (target_program)";
  for (const auto& look : {open_text, stop_text}) {
    const std::string text = in_other_process(become_nobody, [&] { return look(child.pid()); });
    EXPECT_NE(text.find(process + " belongs to user root, and weir runs as user nobody"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("run weir as user root"), std::string::npos) << text;
  }
}

TEST(Denied, TheSameUserIsLetIn) {
  WEIR_NEEDS_ROOT;
  Child child = program({"user"});
  EXPECT_EQ(in_other_process(become_nobody, [&] { return open_text(child.pid()); }), "opened");
}

TEST(Denied, NotDumpable) {
  WEIR_NEEDS_ROOT;
  Child child = program({"nodump"});
  const std::string text = in_other_process(become_nobody, [&] { return stop_text(child.pid()); });
  EXPECT_NE(text.find("has made itself unreadable (not dumpable"), std::string::npos) << text;
  EXPECT_TRUE(text.find("SYS_PTRACE") != std::string::npos ||
              text.find("cap_sys_ptrace") != std::string::npos)
      << text;
  EXPECT_EQ(open_text(child.pid()), "opened") << "root may";
}

TEST(Denied, ATracerIsNamedForStoppingAndDoesNotHinderReading) {
  Child child = program({"sleep"});
  const auto report = while_stopped(child.pid(), {}, [&](StoppedProcess&) {
    const std::string text = in_other_process([] {}, [&] { return stop_text(child.pid()); });
    EXPECT_NE(text.find("is already traced by process " + std::to_string(getpid())),
              std::string::npos)
        << text;
    EXPECT_EQ(open_text(child.pid()), "opened");
  });
  ASSERT_TRUE(report.has_value());
}

TEST(Denied, AZombieHasEndedAndItsParentIsNamed) {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  for (const std::string& text : {open_text(pid), stop_text(pid)}) {
    EXPECT_NE(text.find("has ended"), std::string::npos) << text;
  }
  const Error error = diagnose_denied(pid, EPERM);
  EXPECT_EQ(error.code, ErrorCode::gone);
  EXPECT_NE(error.what.find("its parent, process " + std::to_string(getpid())), std::string::npos)
      << error.what;
  waitpid(pid, nullptr, 0);
}

TEST(Denied, AThreadOfTheKernel) {
  if (read_process(2).value_or(ProcessFacts{}).name != "kthreadd") {
    GTEST_SKIP() << "no kernel threads in this pid namespace";
  }
  const Error error = diagnose_denied(2, EPERM);
  EXPECT_EQ(error.code, ErrorCode::denied);
  EXPECT_EQ(error.what, "process 2 (kthreadd) is a thread of the kernel");
}

/// Makes `number` fail with EPERM in this process from now on, as a container's filter does.
void forbid(unsigned number) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(code), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    _exit(9);
  }
}

TEST(Denied, AFilterOnPtraceIsNamed) {
  Child child = program({"sleep"});
  const std::string text =
      in_other_process([] { forbid(SYS_ptrace); }, [&] { return stop_text(child.pid()); });
  EXPECT_NE(text.find("seccomp filter"), std::string::npos) << text;
}

TEST(Denied, MemoryIsReadAnotherWayWhereTheFastCallIsForbidden) {
  Child child = program({"pair"});
  const std::string line = child.wait_for_line("pair").value();
  const Address at{std::stoull(line.substr(5), nullptr, 16)};
  const std::string text = in_other_process(
      [] { forbid(SYS_process_vm_readv); },
      [&]() -> std::string {
        auto memory = LiveMemory::open(child.pid());
        if (!memory) return to_string(memory.error());
        std::byte a[8];
        std::byte b[8];
        ReadRequest requests[] = {{at, a, 0}, {Address{8}, b, 0}};
        const auto read = memory->read_many(requests);
        if (!read) return to_string(read.error());
        return std::to_string(requests[0].got) + " " + std::to_string(requests[1].got);
      });
  EXPECT_EQ(text, "8 0");
}

}  // namespace
}  // namespace weir::target
