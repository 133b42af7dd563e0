#include "weir/ingest/holder_roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "weir/elf/symbols.h"
#include "weir/gortime/timers.h"
#include "weir/gosym/module_data.h"

namespace weir::ingest {
namespace {

constexpr std::uint64_t most_data = std::uint64_t{64} << 20;
constexpr std::size_t most_objects = 20'000;  // followed: bounds the time and a recording
constexpr std::size_t most_named = 3;         // of one kind for each object
constexpr std::size_t most_timers = 10'000;

using Roots = std::vector<HolderRoot>;

/// The words of [from, to) that the compiler says may hold pointers; source i is the word
/// sources[i]. The semaphore table leads to every waiter there is.
Result<void> add_variables(const gortime::Program& program, target::Memory& memory, Address from,
                           Address to, const gosym::PointerMask& mask, Roots& roots,
                           std::vector<Address>& sources) {
  const std::uint64_t count = (to - from) / 8;
  if (to < from || to - from > most_data || mask.bit_count < count || !mask.bits)
    return fail(ErrorCode::invalid, "the map of pointers in variables makes no sense", from);
  std::vector<std::uint8_t> bits((count + 7) / 8);
  WEIR_TRY_VOID(memory.read(mask.bits, std::as_writable_bytes(std::span(bits))));
  std::vector<std::uint64_t> words(count);
  WEIR_TRY_VOID(memory.read(from, std::as_writable_bytes(std::span(words))));
  const auto& l = program.layout().sema_root;
  const Address table = program.globals().semtable;
  const Address table_end = table + std::uint64_t{l.stride.value()} * l.count.value();
  for (std::uint64_t i = 0; i < count; ++i) {
    const Address at = from + i * 8;
    if ((bits[i / 8] >> (i % 8) & 1) == 0 || words[i] == 0) continue;
    if (at >= table && at < table_end) continue;
    roots.push_back({words[i], static_cast<std::uint32_t>(sources.size())});
    sources.push_back(at);
  }
  return {};
}

Result<gosym::ModuleData> read_module(const gortime::Program& program, target::Memory& memory) {
  const gosym::ReadMemory read = [&](Address at, std::span<std::byte> into) {
    return memory.read(at, into).has_value();
  };
  return gosym::find_live_module_data(read, program.file(), program.table().location().pclntab,
                                      program.bias(), program.go_minor());
}

/// At most so many for each object, in the order of the hits.
template <class Describe>
void add_holders(const std::vector<HolderHit>& hits, model::Surroundings& out,
                 const Describe& describe) {
  std::map<Address, std::size_t> named;
  for (const HolderHit& hit : hits) {
    if (named[hit.object] == most_named) continue;
    std::optional<model::Holder> holder = describe(hit);
    if (!holder) continue;
    ++named[hit.object];
    holder->object = hit.object;
    out.holders.push_back(std::move(*holder));
  }
}

Result<void> find_variables(const gortime::Program& program, target::Memory& memory,
                            HolderSearch& search, model::Surroundings& out, Notes& notes) {
  WEIR_TRY(const auto module, read_module(program, memory));
  Roots roots;
  std::vector<Address> sources;
  WEIR_TRY_VOID(
      add_variables(program, memory, module.data, module.edata, module.data_mask, roots, sources));
  WEIR_TRY_VOID(
      add_variables(program, memory, module.bss, module.ebss, module.bss_mask, roots, sources));
  std::size_t left = most_objects;
  std::map<Address, std::string> names;
  add_holders(search.follow(std::move(roots), most_objects, left), out,
              [&](const HolderHit& hit) -> std::optional<model::Holder> {
                const Address at = sources[hit.source];
                auto& name = names[at];
                if (name.empty()) name = name_variable(program, at);
                if (name.starts_with("global runtime.")) return {};
                return model::Holder{model::HolderKind::variable, {}, name, {}};
              });
  if (left == 0)
    notes.add(Severity::info,
              "there are too many heap objects to follow what every variable leads to");
  out.variables_known = true;
  return {};
}

std::string function_at(const gortime::Program& program, Address pc) {
  if (!pc) return {};
  const auto function = program.table().find_function(program.bias().to_link(pc));
  return function ? gosym::name_for_print(function->name, program.go_minor()) : std::string();
}

std::string describe(const gortime::Program& program, const gortime::TimerState& timer) {
  const std::string callback = function_at(program, timer.callback);
  if (callback == "time.sendTime") return "timer of a channel";
  const std::string target = function_at(program, timer.target);
  if (callback == "time.goFunc" && !target.empty()) return "timer that calls " + target;
  return callback.empty() ? "timer" : "timer that calls " + callback;
}

Result<void> find_timers(const gortime::Program& program, target::Memory& memory,
                         std::optional<Nanos> now, HolderSearch& search, model::Surroundings& out,
                         Notes& notes) {
  WEIR_TRY(const auto timers, gortime::read_timers(program.layout(), program.globals(), memory));
  out.pending_timers = timers.size();
  out.timers_known = true;
  if (timers.size() > most_timers)
    notes.add(Severity::info, "there are too many timers to follow what every one leads to");
  Roots roots;
  std::vector<std::uint64_t> words(program.layout().timer.size.value() / 8);
  for (std::uint32_t i = 0; i < timers.size() && i < most_timers; ++i) {
    if (!memory.read(timers[i].at, std::as_writable_bytes(std::span(words)))) continue;
    for (const std::uint64_t word : words) roots.push_back({word, i});
  }
  std::size_t left = most_objects;
  add_holders(search.follow(std::move(roots), most_objects, left), out,
              [&](const HolderHit& hit) -> std::optional<model::Holder> {
                const gortime::TimerState& timer = timers[hit.source];
                model::Holder holder{model::HolderKind::timer, {}, describe(program, timer), {}};
                if (now) holder.fires_in = Nanos{timer.when - now->value};
                return holder;
              });
  return {};
}

}  // namespace

std::string name_variable(const gortime::Program& program, Address at) {
  const auto symbol = elf::find_object_symbol(program.file(), program.bias().to_link(at));
  return symbol ? fmt::format("global {}", symbol->name) : fmt::format("global at {:#x}", at.value);
}

model::Surroundings find_surroundings(const gortime::Program& program, target::Memory& memory,
                                      std::optional<Nanos> now, HolderSearch& search,
                                      Notes& notes) {
  model::Surroundings out;
  out.cgo = program.table().find_function("runtime/cgo.init.0").has_value() ||
            program.table().find_function("crosscall2").has_value();
  if (const auto found = find_variables(program, memory, search, out, notes); !found)
    notes.add(Severity::info, "what variables lead to is not known: " + to_string(found.error()));
  if (const auto found = find_timers(program, memory, now, search, out, notes); !found)
    notes.add(Severity::info, "which timers are pending is not known: " + to_string(found.error()));
  std::stable_sort(out.holders.begin(), out.holders.end(),
                   [](const auto& a, const auto& b) { return a.object < b.object; });
  return out;
}

}  // namespace weir::ingest
