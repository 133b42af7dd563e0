#include "weir/sched/agent_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "weir/gortime/relocate.h"
#include "weir/model/goname.h"
#include "weir/sched/agent_image.h"
#include "weir/sched/clock.h"

namespace weir::sched {
namespace {

constexpr std::uint64_t page_size = 4096;
/// From the program's code to the agent: a jump reaches both ways.
constexpr std::uint64_t distance = 0x4000'0000;
constexpr std::size_t jump_size = 5;
constexpr std::uint64_t block = 16;  // bytes of text for one bit
constexpr std::byte int3{0xcc}, near_jump{0xe9}, push_int{0x68};

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

/// Positions in agent::Frame by DWARF register number.
constexpr std::array<std::uint8_t, 16> frame_positions{13, 12, 14, 11, 9, 8, 10, 15,
                                                       0,  1,  2,  3,  4, 5, 6,  7};

std::uint8_t position_of(std::uint8_t dwarf_number) {
  return dwarf_number < frame_positions.size() ? frame_positions[dwarf_number] : agent::no_register;
}

std::optional<agent::SiteKind> kind_of(HookKind kind) {
  switch (kind) {
    case HookKind::start_thread:
      return agent::SiteKind::start_thread;
    case HookKind::processors:
      return agent::SiteKind::processors;
    case HookKind::execute:
      return agent::SiteKind::execute;
    case HookKind::poll:
      return agent::SiteKind::poll;
    case HookKind::operation:
      return agent::SiteKind::operation;
    case HookKind::atomic:
      return agent::SiteKind::atomic;
    case HookKind::fatal:
      return agent::SiteKind::fatal;
    case HookKind::crash:
      return agent::SiteKind::crash;
    case HookKind::panic:
      return agent::SiteKind::panic;
    case HookKind::exit:
      return agent::SiteKind::exit;
    case HookKind::observation:
      return agent::SiteKind::observation;
    case HookKind::new_thread:
    case HookKind::test_start:
      break;  // before the test only
  }
  return std::nullopt;
}

/// Only what is reached by the thread that has the P may come in by a jump: the agent has one stack
/// for that, and another one for the thread that polls. Timers, channels, os.Exit … are used by
/// goroutines alone.
bool may_jump(const Hook& hook) {
  return hook.kind == HookKind::execute || hook.kind == HookKind::operation ||
         hook.kind == HookKind::atomic || hook.kind == HookKind::poll ||
         hook.kind == HookKind::processors || hook.kind == HookKind::exit ||
         (hook.kind == HookKind::observation && hook.name == observation_unordered);
}

class Planner {
 public:
  Planner(const gortime::Program& program, const HookTable& table)
      : program_(program), table_(table) {}

  Result<AgentPlan> plan() {
    find_text();
    // One behind the other: each place of its own costs a copy page tables of its own.
    plan_.clock = Address{text_start_ / page_size * page_size + distance};
    plan_.base = plan_.clock + clock_size;
    for (const auto& [at, hook] : table_.hooks) plan_.hooks.push_back(&hook);
    std::sort(plan_.hooks.begin(), plan_.hooks.end(),
              [](const Hook* a, const Hook* b) { return a->at.value < b->at.value; });
    std::erase_if(plan_.hooks, [](const Hook* hook) { return !kind_of(hook->kind); });
    lay_out();
    for (std::uint32_t i = 0; i < plan_.hooks.size(); ++i) WEIR_TRY_VOID(add_site(i));
    for (const auto& [at, hook] : table_.hooks)
      if (!kind_of(hook.kind)) WEIR_TRY_VOID(add_early(hook));
    fill_offsets();
    if (plan_.config().async_preempt == 0)
      return fail(ErrorCode::unsupported, "the program has no runtime.asyncPreempt");
    plan_.shared =
        Address{round_up(plan_.base.value + agent::config_at + plan_.memory.size(), page_size)};
    plan_.config().shared = plan_.shared.value;
    return std::move(plan_);
  }

 private:
  Address here() const { return plan_.base + agent::config_at + plan_.memory.size(); }

  void find_text() {
    const auto& table = program_.table();
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      const auto function = table.function(i);
      if (!function) continue;
      const std::uint64_t start = program_.bias().to_run(function->entry).value;
      text_start_ = text_start_ == 0 ? start : std::min(text_start_, start);
      text_end_ = std::max(text_end_, program_.bias().to_run(function->end).value);
    }
  }

  // Config, sites, three bitmaps; the code follows.
  void lay_out() {
    const std::size_t bytes = (text_end_ - text_start_) / block / 8 + 1;
    sites_at_ = sizeof(agent::Config);
    explored_at_ = sites_at_ + plan_.hooks.size() * sizeof(agent::Site);
    sync_at_ = explored_at_ + bytes;
    system_at_ = sync_at_ + bytes;
    plan_.memory.resize(round_up(system_at_ + bytes, block));
    const auto& table = program_.table();
    for (std::uint32_t i = 0; i < table.size(); ++i)
      if (const auto function = table.function(i)) mark(*function);
  }

  void mark(const gosym::Function& function) {
    const std::string_view name = function.name;
    const std::string package = model::package_of(name);
    const bool explored = is_explored(package);
    const bool sync = is_sync(package);
    const bool system =
        name.starts_with("runtime.") && name != "runtime.main" && name != "runtime.corostart";
    if (!explored && !system) return;
    const std::uint64_t end =
        (function.end.value - 1 + program_.bias().value - text_start_) / block;
    for (std::uint64_t i = (program_.bias().to_run(function.entry).value - text_start_) / block;
         i <= end; ++i) {
      const std::byte bit{static_cast<std::uint8_t>(1U << (i % 8))};
      if (explored) plan_.memory[explored_at_ + i / 8] |= bit;
      if (sync) plan_.memory[sync_at_ + i / 8] |= bit;
      if (system) plan_.memory[system_at_ + i / 8] |= bit;
    }
  }

  /// Moves at least `least` bytes of code at the hook to here(). Nothing if that cannot be.
  Result<std::optional<gortime::Relocated>> move(const Hook& hook, std::size_t least) {
    const LinkAddr at = program_.bias().to_link(hook.at);
    const auto function = program_.table().find_function(at);
    if (!function || function->end.value <= at.value)
      return fail(ErrorCode::invalid, "no function", hook.at);
    WEIR_TRY(const bytes::Bytes code,
             program_.file().read(function->entry, function->end.value - function->entry.value));
    return gortime::relocate(code, function->entry, at, least, here(), program_.bias());
  }

  void append(const std::vector<std::byte>& code) {
    plan_.memory.insert(plan_.memory.end(), code.begin(), code.end());
  }

  Result<void> add_early(const Hook& hook) {
    WEIR_TRY(const auto moved, move(hook, 1));
    if (!moved) return refuse(hook);
    plan_.copies.emplace(hook.at.value, here());
    append(moved->code);
    return {};
  }

  static Result<void> refuse(const Hook& hook) {
    return fail(ErrorCode::unsupported, "weir cannot put its own code into the Go runtime",
                hook.at);
  }

  Result<void> add_site(std::uint32_t number) {
    const Hook& hook = *plan_.hooks[number];
    std::optional<gortime::Relocated> moved;
    bool jumps = may_jump(hook);
    if (jumps) {
      WEIR_TRY(moved, move(hook, jump_size));
      jumps = moved && !overlaps(number, moved->covered);
    }
    if (!jumps) {
      WEIR_TRY(moved, move(hook, 1));
    }
    agent::Site site = describe(hook);
    if (!moved) {
      if (hook.kind != HookKind::atomic && hook.kind != HookKind::observation) return refuse(hook);
      ++plan_.skipped;
    } else {
      site.copy = here().value;
      plan_.copies.emplace(hook.at.value, here());
      append(moved->code);
      WEIR_TRY_VOID(patch(hook, number, jumps, site));
    }
    std::memcpy(plan_.memory.data() + sites_at_ + number * sizeof site, &site, sizeof site);
    return {};
  }

  /// The next site's instruction would be moved, too.
  bool overlaps(std::uint32_t number, std::size_t covered) const {
    return number + 1 < plan_.hooks.size() &&
           plan_.hooks[number + 1]->at.value < plan_.hooks[number]->at.value + covered;
  }

  Result<void> patch(const Hook& hook, std::uint32_t number, bool jumps, agent::Site& site) {
    Patch patch{hook.at, {int3}};
    if (jumps) {
      patch.bytes = jump(hook.at, here());
      if (hook.kind == HookKind::poll) append(leave_unless_waiting(Address{site.copy}));
      std::vector<std::byte> stub{push_int};
      stub.resize(jump_size);
      std::memcpy(stub.data() + 1, &number, sizeof number);
      append(stub);
      const AgentEntries entries = agent_entries();
      append(
          jump(here(), plan_.base + (hook.kind == HookKind::poll ? entries.poll : entries.jump)));
      ++plan_.jumps;
    } else {
      ++plan_.traps;
    }
    WEIR_TRY(const bytes::Bytes code,
             program_.file().read(program_.bias().to_link(hook.at), patch.bytes.size()));
    site.patched = static_cast<std::uint8_t>(patch.bytes.size());
    std::memcpy(site.original, code.data(), patch.bytes.size());
    plan_.patches.push_back(std::move(patch));
    return {};
  }

  /// netpoll(delay) is called with the P, too, and then does not wait: delay is 0 (RAX).
  std::vector<std::byte> leave_unless_waiting(Address copy) const {
    std::vector<std::byte> code{std::byte{0x48}, std::byte{0x85}, std::byte{0xc0},  // TEST RAX, RAX
                                std::byte{0x0f}, std::byte{0x8e}};                  // JLE copy
    const auto by = static_cast<std::int32_t>(copy.value - (here().value + code.size() + 4));
    const auto* const bytes = reinterpret_cast<const std::byte*>(&by);
    code.insert(code.end(), bytes, bytes + sizeof by);
    return code;
  }

  static std::vector<std::byte> jump(Address from, Address to) {
    const auto by =
        static_cast<std::int32_t>(static_cast<std::int64_t>(to.value - (from.value + jump_size)));
    std::vector<std::byte> code{near_jump};
    code.resize(jump_size);
    std::memcpy(code.data() + 1, &by, sizeof by);
    return code;
  }

  agent::Site describe(const Hook& hook) {
    agent::Site site{};
    site.at = hook.at.value;
    site.kind = *kind_of(hook.kind);
    site.caller = hook.caller.value_or(agent::no_caller);
    site.asks = hook.asks;
    site.checks_stack = hook.checks_stack;
    site.selects = hook.name == "select";
    site.calls_c = hook.name == observation_c;
    site.operand = hook.site                         ? agent::Operand::memory
                   : hook.object == Argument::first  ? agent::Operand::first
                   : hook.object == Argument::second ? agent::Operand::second
                                                     : agent::Operand::none;
    if (hook.kind == HookKind::observation) site.observation = bit_of(hook.name);
    if (!hook.site) return site;
    site.base = position_of(hook.site->base);
    site.index = position_of(hook.site->index);
    site.scale = hook.site->scale;
    site.displacement = static_cast<std::uint64_t>(hook.site->displacement);
    if (hook.site->fixed.value != 0) site.fixed = program_.bias().to_run(hook.site->fixed).value;
    return site;
  }

  std::uint8_t bit_of(const std::string& observation) {
    auto& all = plan_.observations;
    if (all.empty()) all.emplace_back(observation_outside);
    const auto found = std::find(all.begin(), all.end(), observation);
    const auto bit = static_cast<std::uint8_t>(found - all.begin());
    if (found == all.end()) all.push_back(observation);
    return bit;
  }

  void fill_offsets() {
    agent::Config& config = plan_.config();
    config.sched = program_.globals().sched.value;
    config.all = program_.globals().allgptr.value;
    config.all_count = program_.globals().allglen.value;
    config.sleep = table_.sleep.value_or(Address{}).value;
    config.template_thread = table_.template_thread.value_or(Address{}).value;
    config.async_preempt = program_.find_entry("runtime.asyncPreempt").value;
    config.clock = (plan_.clock + clock_counter_at).value;
    config.text_start = text_start_;
    config.text_end = text_end_;
    const Address start = plan_.base + agent::config_at;
    config.sites = (start + sites_at_).value;
    config.explored = (start + explored_at_).value;
    config.sync = (start + sync_at_).value;
    config.system = (start + system_at_).value;
    config.site_count = plan_.hooks.size();
    fill_scheduler_offsets(config.offsets);
    const auto& chan = program_.layout().hchan;
    config.offsets.chan_qcount = chan.qcount.value();
    config.offsets.chan_dataqsiz = chan.dataqsiz.value();
    config.offsets.chan_closed = chan.closed.value();
    config.offsets.chan_recvq = chan.recvq_first.value();
    config.offsets.chan_sendq = chan.sendq_first.value();
  }

  void fill_scheduler_offsets(agent::Offsets& o) const {
    const gortime::Layout& layout = program_.layout();
    o.g_goid = layout.g.goid.value();
    o.g_m = layout.g.m.value();
    o.g_stack_lo = layout.g.stack_lo.value();
    o.g_stackguard0 = layout.g.stackguard0.value();
    o.g_preempt = layout.g.preempt.value();
    o.g_schedlink = layout.g.schedlink.value();
    o.g_startpc = layout.g.startpc.value();
    o.g_lockedm = layout.g.lockedm.value();
    o.g_status = layout.g.atomicstatus.value();
    o.m_p = layout.m.p.value();
    o.m_curg = layout.m.curg.value();
    o.m_locks = layout.m.locks.value();
    o.m_mallocing = layout.m.mallocing.value();
    o.m_preemptoff = layout.m.preemptoff.value();
    o.m_procid = layout.m.procid.value();
    o.m_random = layout.m.cheaprand.value();
    o.m_random_width = layout.m.cheaprand.width();
    o.p_runqhead = layout.p.runqhead.value();
    o.p_runqtail = layout.p.runqtail.value();
    o.p_runq = layout.p.runq.value();
    o.p_runnext = layout.p.runnext.value();
    if (layout.p.timer0_when.present()) {
      o.p_when = layout.p.timer0_when.value();
    } else if (layout.p.timers.present() && layout.timers.min_when_heap.present()) {
      o.p_when = layout.p.timers.value() + layout.timers.min_when_heap.value();
      o.p_when_modified = layout.p.timers.value() + layout.timers.min_when_modified.value();
    }
    o.sched_runq_head = layout.schedt.runq_head.value();
    o.sched_runq_tail = layout.schedt.runq_tail.value();
    o.sched_midle = layout.schedt.midle.value();
    o.sched_nmidle = layout.schedt.nmidle.value();
    o.sched_nmidlelocked = layout.schedt.nmidlelocked.value();
    o.sched_mnext = layout.schedt.mnext.value();
    o.sched_nmsys = layout.schedt.nmsys.value();
    o.sched_nmfreed = layout.schedt.nmfreed.value();
  }

  const gortime::Program& program_;
  const HookTable& table_;
  AgentPlan plan_;
  std::uint64_t text_start_ = 0, text_end_ = 0;
  std::size_t sites_at_ = 0, explored_at_ = 0, sync_at_ = 0, system_at_ = 0;
};

}  // namespace

bool AgentPlan::is_system(Address start_pc) const {
  const agent::Config& c = config();
  if (start_pc.value < c.text_start || start_pc.value >= c.text_end) return true;
  const std::uint64_t i = (start_pc.value - c.text_start) / block;
  const std::uint64_t at = c.system - (base.value + agent::config_at) + i / 8;
  return (std::to_integer<unsigned>(memory[at]) >> (i % 8) & 1) != 0;
}

Result<AgentPlan> plan_agent(const gortime::Program& program, const HookTable& table) {
  Planner planner(program, table);
  return planner.plan();
}

}  // namespace weir::sched
