#include "weir/target/process.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tests/support/child.h"
#include "weir/bytes/mapped_file.h"
#include "weir/target/denied.h"
#include "weir/target/live_memory.h"
#include "weir/target/proc_file.h"
#include "weir/target/sockets.h"
#include "weir/target/stop.h"

namespace weir::target {
namespace {

using test_support::Child;

Child start(const std::vector<std::string>& argv) {
  auto child = Child::start(argv);
  if (!child) throw std::runtime_error(to_string(child.error()));
  auto line = child->wait_for_line("ready");
  if (!line) throw std::runtime_error(to_string(line.error()));
  return std::move(*child);
}

Child program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WEIR_TARGET_PROGRAM);
  return start(arguments);
}

TEST(Process, Facts) {
  Child child = program({"sleep", "3", "", "a b"});
  const ProcessFacts facts = read_process(child.pid()).value();
  EXPECT_EQ(facts.pid, child.pid());
  EXPECT_EQ(facts.inner_pid, child.pid());
  EXPECT_EQ(facts.parent_pid, getpid());
  EXPECT_EQ(facts.tracer_pid, 0);
  EXPECT_EQ(facts.uid, geteuid());
  EXPECT_EQ(facts.name, "target_program");
  EXPECT_EQ(facts.command_line,
            (std::vector<std::string>{WEIR_TARGET_PROGRAM, "sleep", "3", "", "a b"}));
  EXPECT_EQ(facts.exe_path, std::filesystem::canonical(WEIR_TARGET_PROGRAM));
  EXPECT_FALSE(facts.exe_deleted);
  EXPECT_EQ(facts.thread_count, 4);
  EXPECT_EQ(read_threads(child.pid()).value().size(), 4U);
  const ProcessFacts self = read_process(getpid()).value();
  EXPECT_GE(facts.start_time, self.start_time);
}

TEST(Process, ANameWithParentheses) {
  Child child = program({"name"});
  EXPECT_EQ(read_process(child.pid()).value().name, "a) (b c");
}

TEST(Process, CpuTimeGrows) {
  Child child = program({"spin", "1"});
  while (read_process(child.pid()).value().cpu_time < Nanos{20'000'000}) std::this_thread::yield();
}

TEST(Process, LoadBiasPutsTheHeaderWhereItIs) {
  Child child = program({"sleep"});
  const auto auxv = read_auxv(child.pid()).value();
  const std::string path = find_executable(child.pid()).value();
  const auto file = bytes::MappedFile::open(path).value();
  const LoadBias bias = load_bias(auxv, file.bytes()).value();
  LiveMemory memory = LiveMemory::open(child.pid()).value();
  // A PIE: its first page, the ELF header, is mapped at the bias.
  std::vector<std::byte> header(64);
  ASSERT_TRUE(memory.read(bias.to_run(LinkAddr{0}), header).has_value());
  EXPECT_TRUE(std::equal(header.begin(), header.end(), file.bytes().begin()));
  EXPECT_EQ(load_bias(auxv, {}).error().code, ErrorCode::invalid);
  EXPECT_EQ(load_bias({}, file.bytes()).error().code, ErrorCode::not_found);
}

TEST(Process, ADeletedExecutableIsStillRead) {
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / ("weir copy " + std::to_string(getpid()));
  std::filesystem::copy_file(WEIR_TARGET_PROGRAM, copy);
  Child child = start({copy.string(), "sleep"});
  std::filesystem::remove(copy);
  const ProcessFacts facts = read_process(child.pid()).value();
  EXPECT_TRUE(facts.exe_deleted);
  EXPECT_EQ(facts.exe_path, copy.string());
  const auto now = bytes::MappedFile::open(find_executable(child.pid()).value()).value();
  const auto then = bytes::MappedFile::open(WEIR_TARGET_PROGRAM).value();
  EXPECT_TRUE(std::ranges::equal(now.bytes(), then.bytes()));
}

TEST(Process, DescriptorsSayWhatTheyAre) {
  Child child = program({"sockets"});
  const auto fds = read_fds(child.pid()).value();
  const auto find = [&](int fd) {
    for (const FdFacts& one : fds) {
      if (one.fd == fd) return one.target;
    }
    return std::string("none");
  };
  const auto number = [&](const char* prefix) {
    int fd = -1;
    int value = 0;
    const std::string line = child.wait_for_line(prefix).value();
    std::sscanf(line.c_str(), "%*s %d %d", &fd, &value);
    return std::make_pair(fd, std::to_string(value));
  };
  const auto [listener, port] = number("listener");
  const auto [client, from] = number("client");
  const auto [datagram, port6] = number("datagram");
  const auto [local, pid] = number("local");
  EXPECT_EQ(find(listener), "tcp 127.0.0.1:" + port + " (listen)");
  EXPECT_EQ(find(client), "tcp 127.0.0.1:" + from + " -> 127.0.0.1:" + port);
  if (datagram >= 0) {
    EXPECT_EQ(find(datagram), "udp [::1]:" + port6);
  }
  EXPECT_EQ(find(local), "unix @weir test " + pid + " (listen)");
  EXPECT_EQ(find(0).substr(0, 6), "pipe:[");
}

TEST(Sockets, ParsesWhatTheKernelWrites) {
  std::unordered_map<std::uint64_t, std::string> sockets;
  parse_sockets(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   0: 0100007F:1F90 0200000A:1388 01 00000000:00000000 00:00000000 00000000     0        0 "
      "77 "
      "1 0000 20 4 30 10 -1\n"
      "   1: rubbish\n",
      "tcp", sockets);
  parse_sockets(
      "head\n"
      "   0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 0:0 "
      "0:0 "
      "0 0 0 78 1\n",
      "tcp6", sockets);
  parse_sockets("head\n0000000000000000: 00000002 00000000 00010000 0001 01 79 /run/a b.sock\n",
                "unix", sockets);
  EXPECT_EQ(sockets.size(), 3U);
  EXPECT_EQ(sockets[77], "tcp 127.0.0.1:8080 -> 10.0.0.2:5000");
  EXPECT_EQ(sockets[78], "tcp [::1]:53 (listen)");
  EXPECT_EQ(sockets[79], "unix /run/a b.sock (listen)");
}

TEST(Maps, ParsesNamesWithBlanksAndNoNames) {
  const auto regions = parse_maps(
      "00400000-00401000 r-xp 00001000 08:01 12      /bin/my app (deleted)\n"
      "c000000000-c000400000 rw-p 00000000 00:00 0 \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_EQ(regions.size(), 3U);
  EXPECT_EQ(regions[0].path, "/bin/my app (deleted)");
  EXPECT_EQ(regions[0].file_offset, 0x1000U);
  EXPECT_TRUE(regions[0].executable && regions[0].readable && !regions[0].writable);
  EXPECT_EQ(regions[1].start, Address{0xc000000000});
  EXPECT_TRUE(regions[1].path.empty());
  EXPECT_FALSE(regions[2].readable);
}

TEST(Process, InnerNumbersOfAPidNamespace) {
  // unshare stays outside; its child is process 1 of the new namespace.
  auto child = Child::start(
      {"unshare", "--fork", "--pid", "--kill-child", WEIR_TARGET_PROGRAM, "sleep", "2"});
  ASSERT_TRUE(child.has_value()) << to_string(child.error());
  const auto line = child->wait_for_line("ready");
  if (!line) GTEST_SKIP() << "no right to make a pid namespace";
  EXPECT_EQ(*line, "ready 1");
  const std::string path = "task/" + std::to_string(child->pid()) + "/children";
  const int pid = std::stoi(read_proc(child->pid(), path).value());
  const ProcessFacts facts = read_process(pid).value();
  EXPECT_EQ(facts.pid, pid);
  EXPECT_EQ(facts.inner_pid, 1);
  const auto threads = read_threads(pid).value();
  ASSERT_EQ(threads.size(), 3U);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    EXPECT_EQ(threads[i].inner_tid, static_cast<int>(i) + 1);
    EXPECT_GT(threads[i].tid, 3);
  }
  const auto report = while_stopped(
      pid, {}, [&](StoppedProcess& stopped) { EXPECT_EQ(stopped.threads().size(), 3U); });
  EXPECT_TRUE(report.has_value()) << to_string(report.error());
}

TEST(Process, AnEndedOneIsGone) {
  Child child = program({"sleep"});
  const int pid = child.pid();
  child.close_stdin();
  ASSERT_TRUE(child.wait().has_value());
  EXPECT_EQ(read_process(pid).error().code, ErrorCode::gone);
  EXPECT_EQ(read_fds(pid).error().code, ErrorCode::gone);
  EXPECT_EQ(read_regions(pid).error().code, ErrorCode::gone);
  EXPECT_EQ(LiveMemory::open(pid).error().code, ErrorCode::gone);
}

}  // namespace
}  // namespace weir::target
