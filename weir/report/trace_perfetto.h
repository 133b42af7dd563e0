#pragma once
// A trace in the format of the Perfetto UI: a track for every P and every goroutine.
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "weir/model/trace.h"

namespace weir::report {

/// Writes protobuf messages of perfetto.protos.Trace as intervals come (field numbers:
/// protos/perfetto/trace/trace_packet.proto and trace/track_event/*.proto). It wants what
/// goroutines run, too. Mark assists, which lie within running, are left out. Memory grows with the
/// number of goroutines only.
class TracePerfetto : public model::TraceSink {
 public:
  /// `names` outlives this; `write` is given whole packets.
  TracePerfetto(const model::TraceNames& names, std::function<void(std::string_view)> write);
  void take(const model::TraceInterval& interval) override;
  /// Writes what is held back.
  void finish();

 private:
  std::uint64_t goroutine_track(const model::TraceInterval& interval);
  std::uint64_t proc_track(std::uint32_t proc);
  void add_slice(std::uint64_t track, const std::string& name, std::string_view category,
                 const model::TraceInterval& interval);
  void add_track(std::uint64_t id, std::uint64_t parent, const std::string& name);
  void add_packet(std::string_view body);
  std::string name_of(const model::TraceInterval& interval) const;

  const model::TraceNames& names_;
  std::function<void(std::string_view)> write_;
  std::string text_;
  std::unordered_set<std::uint64_t> tracks_;
};

}  // namespace weir::report
