// Folded stacks, speedscope and callgrind.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "weir/model/units.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_graph_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Profile;

namespace {

/// Functions of locations, by number; the lines of a location root first.
class FrameNumbers {
 public:
  explicit FrameNumbers(const Profile& profile) : profile_(profile) {
    for (const model::ProfileLocation& location : profile.locations) {
      std::vector<std::uint32_t> frames;
      const auto lines = profile.lines_of(location);
      for (std::size_t i = lines.size(); i-- > 0;) frames.push_back(number_of(location, &lines[i]));
      if (lines.empty()) frames.push_back(number_of(location, nullptr));
      frames_.push_back(std::move(frames));
    }
  }
  struct Frame {
    std::string name, file;
    std::int64_t line = 0;
    bool operator<(const Frame& other) const {
      return std::tie(name, file, line) < std::tie(other.name, other.file, other.line);
    }
  };
  const std::vector<Frame>& names() const { return names_; }
  /// Root first.
  std::vector<std::uint32_t> stack_of(const Sample& sample) const {
    std::vector<std::uint32_t> stack;
    for (std::uint32_t i = sample.depth; i-- > 0;)
      stack.insert(stack.end(), frames_[sample.stack[i]].begin(), frames_[sample.stack[i]].end());
    return stack;
  }

 private:
  std::uint32_t number_of(const model::ProfileLocation& location, const model::ProfileLine* line) {
    Frame frame;
    if (line != nullptr) {
      frame.name = profile_.name_of(*line);
      frame.file = profile_.file_of(*line);
      frame.line = line->line;
    }
    if (frame.name.empty() && !frame.file.empty()) frame.name = frame.file;
    if (frame.name.empty())
      frame.name = location.address != 0 ? fmt::format("{:#x}", location.address) : "<unknown>";
    const auto [at, added] = known_.try_emplace(frame, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.push_back(frame);
    return at->second;
  }
  const Profile& profile_;
  std::vector<std::vector<std::uint32_t>> frames_;
  std::vector<Frame> names_;
  std::map<Frame, std::uint32_t> known_;
};

/// Callgrind's names: spelled out once, a number from then on.
class Names {
 public:
  std::string operator()(const std::string& name) {
    if (name.empty()) return {};
    const auto [at, added] = known_.try_emplace(name, known_.size() + 1);
    return added ? fmt::format("({}) {}", at->second, printable(name))
                 : fmt::format("({})", at->second);
  }

 private:
  std::map<std::string, std::size_t> known_;
};

std::string position(const model::CallNode* previous, std::uint64_t address) {
  const std::string absolute = fmt::format("{:#x}", address);
  if (previous == nullptr) return absolute;
  if (previous->name.address == address) return "*";
  const std::string relative =
      fmt::format("{:+}", static_cast<std::int64_t>(address - previous->name.address));
  return relative.size() < absolute.size() ? relative : absolute;
}

}  // namespace

void print_prof_folded(const Profile& profile, model::ValueChoice choice, const Print& print) {
  const FrameNumbers frames(profile);
  std::map<std::vector<std::uint32_t>, std::int64_t> sums;
  for (const Sample& sample : profile.samples) {
    std::int64_t& sum = sums[frames.stack_of(sample)];
    sum = model::wrapping_add(sum, model::mean_of(choice.of(sample), choice.divisor(sample)));
  }
  std::vector<std::string> lines;
  std::string line;
  for (const auto& [stack, value] : sums) {
    if (stack.empty() || value == 0) continue;
    line.clear();
    for (const std::uint32_t frame : stack) {
      std::string name = printable(frames.names()[frame].name);
      std::replace(name.begin(), name.end(), ';', ':');  // the format has no other way
      line += (line.empty() ? "" : ";") + name;
    }
    print(line + fmt::format(" {}\n", value));
  }
}

void print_prof_speedscope(const Profile& profile, model::ValueChoice choice,
                           const std::string& name, const Print& print) {
  const FrameNumbers frames(profile);
  const model::ValueType& type = profile.types[choice.index];
  const auto [factor, unit] = model::scale(1, type.unit, type.unit);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("$schema", "https://www.speedscope.app/file-format-schema.json");
  json.member("exporter", "weir");
  json.member("name", name);
  json.key("shared");
  json.begin_object();
  json.key("frames");
  json.begin_array();
  for (const auto& frame : frames.names()) {
    json.begin_object();
    json.member("name", frame.name);
    json.member_if("file", frame.file);
    if (frame.line != 0) json.member("line", frame.line);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.key("profiles");
  json.begin_array();
  json.begin_object();
  json.member("type", "sampled");
  json.member("name", type.type);
  json.member("unit", unit == "ns" ? "nanoseconds" : unit == "B" ? "bytes" : "none");
  json.key("samples");
  json.begin_array();
  double end = 0;
  std::string weights;
  JsonWriter weight_json(weights);
  weight_json.begin_array();
  for (const Sample& sample : profile.samples) {
    const std::int64_t value = model::mean_of(choice.of(sample), choice.divisor(sample));
    if (sample.depth == 0 || value <= 0) continue;  // it has no place for what is below 0
    json.begin_array();
    for (const std::uint32_t frame : frames.stack_of(sample)) json.value(std::uint64_t{frame});
    json.end_array();
    weight_json.value(value);
    end += static_cast<double>(value);
    if (out.size() > (1u << 20)) {
      print(out);
      out.clear();
    }
  }
  weight_json.end_array();
  json.end_array();
  print(out);
  print(",\"weights\":");
  print(weights);
  print(fmt::format(",\"startValue\":0,\"endValue\":{:.0f}}}]}}\n", end));
}

std::string render_prof_callgrind(const model::CallGraph& graph, const ProfOptions& options) {
  ValueWords words(graph.unit, options);
  words.fit(graph, true);
  std::string out =
      fmt::format("positions: instr line\nevents: {}({})\n", printable(graph.type), words.unit());
  Names objects, files, functions;
  const model::CallNode* previous = nullptr;
  for (const model::CallNode& node : graph.nodes) {
    if (previous == nullptr || node.name.object != previous->name.object ||
        node.name.file != previous->name.file || node.name.function != previous->name.function) {
      out += fmt::format("\nob={}\n", objects(node.name.object));
      out += fmt::format("fl={}\n", files(node.name.file));
      out += fmt::format("fn={}\n", functions(node.name.function));
    }
    out += fmt::format("{} {} {:.0f}\n", position(previous, node.name.address), node.name.line,
                       std::trunc(words.number(node.flat_value())));
    for (const std::uint32_t at : node.out) {
      const model::CallEdge& edge = graph.edges[at];
      const model::CallNode& callee = graph.nodes[edge.callee];
      out += fmt::format("cfl={}\n", files(callee.name.file));
      out += fmt::format("cfn={}\n", functions(callee.name.function));
      out +=
          fmt::format("calls=0 {} {}\n", position(previous, callee.name.address), callee.name.line);
      out += fmt::format("* * {:.0f}\n", std::trunc(words.number(edge.weight)));
    }
    previous = &node;
  }
  return out;
}

}  // namespace weir::report
