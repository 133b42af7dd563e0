// The Program of a live process, on top of ingest::LiveReader.
#include <time.h>

#include <algorithm>

#include "weir/gosym/build_info.h"
#include "weir/ingest/live.h"
#include "weir/model/goname.h"
#include "weir/run/program.h"

namespace weir::run {
namespace {

Nanos monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return {now.tv_sec * 1'000'000'000 + now.tv_nsec};
}

/// The import path of what was built: a test binary is named after the package it tests.
std::string package_of(const elf::File& file) {
  const auto info = gosym::find_build_info(file);
  if (!info) return {};
  constexpr std::string_view key = "path\t";
  constexpr std::string_view test = ".test";
  std::string_view text = info->module_text;
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  text = text.substr(0, text.find('\n'));
  if (text.ends_with(test)) text.remove_suffix(test.size());
  return std::string(text);
}

/// Before go1.21 a test binary has no build information. Only the tested package (and its external
/// tests, "…_test") has functions in _test.go files; it is linked late, just before main.
std::string package_of_tests(const gosym::Table& table) {
  constexpr std::string_view external = "_test";
  for (auto index = static_cast<std::uint32_t>(table.size()); index-- > 0;) {
    const auto function = table.function(index);
    if (!function || !table.find_line(*function, function->entry).file.ends_with("_test.go"))
      continue;
    std::string package = model::package_of(function->name);
    if (package.ends_with(external)) package.resize(package.size() - external.size());
    return package;
  }
  return {};
}

std::uint64_t value_of(gortime::Offset offset) {
  return offset.present() ? offset.value() : 0;
}

Fields fields_of(const gortime::Layout& layout) {
  Fields fields;
  fields.g_id = value_of(layout.g.goid);
  fields.g_stack_low = value_of(layout.g.stack_lo);
  fields.g_stack_high = value_of(layout.g.stack_hi);
  fields.has_test_name = layout.testing_common.name.present();
  fields.test_name = value_of(layout.testing_common.name);
  return fields;
}

/// Of weir's own memory, at the end of a program. Larger heaps go without a proof.
constexpr std::uint64_t proof_memory = std::uint64_t{1} << 30;

class LiveProgram : public Program {
 public:
  explicit LiveProgram(ingest::LiveReader reader) : reader_(std::move(reader)) {
    const auto& program = reader_.program();
    fields_ = fields_of(program.layout());
    build_id_ = program.file().gnu_build_id();
    if (build_id_.empty()) build_id_ = program.file().go_build_id();
    package_ = package_of(program.file());
    if (package_.empty() && program.find_entry("testing.tRunner"))
      package_ = package_of_tests(program.table());
  }

  const std::string& go_version() const override { return reader_.go_version(); }
  const std::string& build_id() const override { return build_id_; }
  const std::string& package() const override { return package_; }

  std::optional<Address> find_function(std::string_view name) const override {
    const Address entry = reader_.program().find_entry(name);
    return entry ? std::optional(entry) : std::nullopt;
  }

  const Fields& fields() const override { return fields_; }

  std::optional<Address> find_traceback_ancestors() const override {
    const Address at = reader_.program().globals().traceback_ancestors;
    return at ? std::optional(at) : std::nullopt;
  }

  Result<model::Snapshot> read_stopped(const std::vector<ThreadState>& threads) override {
    std::vector<ingest::StoppedRegisters> stopped;
    stopped.reserve(threads.size());
    for (const ThreadState& thread : threads) stopped.push_back({thread.tid, thread.registers, {}});
    return reader_.read_stopped(stopped);
  }

  model::Proof prove_stopped(const std::vector<ThreadState>& threads) override {
    std::vector<ingest::StoppedRegisters> stopped;
    stopped.reserve(threads.size());
    for (const ThreadState& thread : threads)
      stopped.push_back({thread.tid, thread.registers, thread.vectors});
    ingest::ProofOptions options;
    options.max_memory = proof_memory;
    auto proven = reader_.read_proof_stopped(stopped, options);
    if (proven) return std::move(proven->proof);
    model::Proof proof;
    proof.refused = to_string(proven.error());
    return proof;
  }

  Result<std::vector<Glance>> glance() override {
    WEIR_TRY(const auto census, reader_.read_census());
    std::vector<Glance> all;
    all.reserve(census.size());
    for (const ingest::CensusEntry& one : census)
      all.push_back({one.id, one.status, one.system, one.wait_reason, one.parked_as});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return all;
  }

  Result<std::vector<Timer>> read_timers() override {
    WEIR_TRY(const auto states, reader_.read_timers());
    const Nanos now = monotonic_now();
    std::vector<Timer> timers;
    for (const gortime::TimerState& state : states) {
      Timer timer{reader_.function_at(state.callback), {}, {state.when - now.value}};
      if (state.target) timer.calls = reader_.function_at(state.target);
      if (!is_test_alarm(timer)) timers.push_back(std::move(timer));
    }
    return timers;
  }

 private:
  // go test's -timeout only ends the program. (*M).startAlarm, src/testing/testing.go, go1.19–1.27.
  static bool is_test_alarm(const Timer& timer) {
    return timer.calls.starts_with("testing.(*M).startAlarm.");
  }

  ingest::LiveReader reader_;
  Fields fields_;
  std::string build_id_, package_;
};

}  // namespace

Result<std::unique_ptr<Program>> open_program(int pid) {
  WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
  return std::unique_ptr<Program>(std::make_unique<LiveProgram>(std::move(reader)));
}

}  // namespace weir::run
