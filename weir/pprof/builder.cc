#include "weir/pprof/builder.h"

#include "weir/base/assert.h"

namespace weir::pprof {

Builder::Builder(std::span<const ValueName> sample_types) {
  strings_.emplace("", 0);
  for (const ValueName& name : sample_types) {
    profile_.sample_types.push_back({intern(name.type), intern(name.unit)});
  }
}

StringId Builder::intern(std::string_view text) {
  const auto [at, added] = strings_.try_emplace(std::string(text), 0);
  if (added) at->second = profile_.strings.add(text);
  return at->second;
}

std::uint32_t Builder::add_mapping(const Mapping& mapping) {
  profile_.mappings.push_back(mapping);
  return static_cast<std::uint32_t>(profile_.mappings.size() - 1);
}

std::uint32_t Builder::intern_function(const Function& function) {
  const auto next = static_cast<std::uint32_t>(profile_.functions.size());
  const auto [at, added] = functions_.try_emplace(
      {function.name, function.system_name, function.file, function.start_line}, next);
  if (added) profile_.functions.push_back(function);
  return at->second;
}

std::uint32_t Builder::intern_location(std::uint64_t address, std::uint32_t mapping,
                                       std::span<const Line> lines) {
  LocationKey key{address, mapping, {}};
  for (const Line& line : lines) {
    WEIR_ASSERT(line.function == none || line.function < profile_.functions.size());
    std::get<2>(key).emplace_back(line.function, line.line, line.column);
  }
  WEIR_ASSERT(mapping == none || mapping < profile_.mappings.size());
  const auto next = static_cast<std::uint32_t>(profile_.locations.size());
  const auto [at, added] = locations_.try_emplace(std::move(key), next);
  if (added) {
    const auto first = static_cast<std::uint32_t>(profile_.lines.size());
    profile_.lines.insert(profile_.lines.end(), lines.begin(), lines.end());
    profile_.locations.push_back(
        {address, mapping, first, static_cast<std::uint32_t>(lines.size()), false});
  }
  return at->second;
}

void Builder::add_sample(const SampleView& sample) {
  WEIR_ASSERT(sample.values.size() == profile_.sample_types.size());
  for (const std::uint32_t location : sample.locations) {
    WEIR_ASSERT(location < profile_.locations.size());
  }
  profile_.samples.add(sample.locations, sample.values, profile_.label_sets.intern(sample.labels));
}

}  // namespace weir::pprof
