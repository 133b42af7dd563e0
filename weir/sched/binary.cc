#include "weir/sched/binary.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/target/live_memory.h"
#include "weir/target/process.h"

namespace weir::sched {
namespace {

constexpr std::size_t elf_header_size = 64;

/// What the controller reads and writes of the runtime.
Result<void> check_layout(const gortime::Layout& layout, const std::string& version) {
  for (const gortime::Offset field : {layout.g.goid,
                                      layout.g.stackguard0,
                                      layout.g.stack_lo,
                                      layout.g.preempt,
                                      layout.g.m,
                                      layout.g.schedlink,
                                      layout.g.startpc,
                                      layout.g.lockedm,
                                      layout.g.atomicstatus,
                                      layout.g.waitreason,
                                      layout.m.p,
                                      layout.m.curg,
                                      layout.m.locks,
                                      layout.m.mallocing,
                                      layout.m.preemptoff,
                                      layout.m.cheaprand,
                                      layout.m.procid,
                                      layout.m.alllink,
                                      layout.p.schedtick,
                                      layout.p.runqhead,
                                      layout.p.runqtail,
                                      layout.p.runq,
                                      layout.p.runnext,
                                      layout.schedt.runq_head,
                                      layout.schedt.runq_tail,
                                      layout.schedt.runqsize,
                                      layout.schedt.midle,
                                      layout.schedt.nmidle,
                                      layout.schedt.nmidlelocked,
                                      layout.schedt.mnext,
                                      layout.schedt.nmsys,
                                      layout.schedt.nmfreed,
                                      layout.hchan.qcount,
                                      layout.hchan.dataqsiz,
                                      layout.hchan.closed,
                                      layout.hchan.recvq_first,
                                      layout.hchan.sendq_first})
    if (!field.present())
      return fail(ErrorCode::unsupported,
                  fmt::format("weir does not know enough of {}'s scheduler", version));
  return {};
}

/// Runs the process up to runtime.main: what the linker left to relocation is in place then.
Result<void> reach_main(ControlledProcess& process, const gortime::Program& program) {
  const Address main = program.find_entry("runtime.main");
  if (!main) return fail(ErrorCode::unsupported, "the program has no runtime.main");
  WEIR_TRY_VOID(process.write_value(main, std::byte{0xcc}));
  if (process.let_run(process.pid()).kind == ProcessStop::Kind::ended)
    return fail(ErrorCode::gone, "the program ended before runtime.main");
  return {};
}

}  // namespace

Result<TestBinary> TestBinary::open(const std::string& path) {
  TestBinary binary;
  binary.path_ = path;
  WEIR_TRY(auto file, bytes::MappedFile::open(path));
  binary.file_ = std::make_unique<bytes::MappedFile>(std::move(file));
  WEIR_TRY(const auto process, ControlledProcess::launch({path, {path}, {}, {}, -1}));
  WEIR_TRY(const auto auxv, target::read_auxv(process->pid()));
  const bytes::Bytes content = binary.file_->bytes();
  WEIR_TRY(const LoadBias bias,
           target::load_bias(auxv, content.first(std::min(elf_header_size, content.size()))));
  WEIR_TRY(auto memory, target::LiveMemory::open(process->pid()));
  WEIR_TRY(auto program, gortime::Program::open(content, memory, bias, {}, nullptr, path));
  binary.program_.emplace(std::move(program));
  WEIR_TRY_VOID(check_layout(binary.program_->layout(), binary.program_->go_version()));
  WEIR_TRY(binary.hooks_, build_hooks(*binary.program_));
  WEIR_TRY_VOID(reach_main(*process, *binary.program_));
  WEIR_TRY_VOID(binary.program_->prepare(memory));
  WEIR_TRY(binary.agent_, plan_agent(*binary.program_, binary.hooks_));
  binary.build_id_ = binary.program_->file().go_build_id();
  if (binary.build_id_.empty()) binary.build_id_ = binary.program_->file().gnu_build_id();
  return binary;
}

}  // namespace weir::sched
