// Other forms of a trace: the Perfetto export, read back by the schema's public field numbers, CSV
// and JSON lines, the drawings.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "weir/report/trace_more.h"
#include "weir/report/trace_page.h"
#include "weir/report/trace_perfetto.h"

namespace weir::report {
namespace {

using model::TraceInterval;
using model::TraceKind;
using testing::ElementsAre;
using testing::HasSubstr;

model::TraceNames names_of_one_stack() {
  model::TraceNames names;
  names.strings = {"", "main.work", "/src/\"a\".go"};
  names.frames = {{1, 2, 12, 0x10}};
  names.stack_frames = {0};
  names.stack_begin = {0, 0, 1};
  return names;
}

std::vector<TraceInterval> two_intervals() {
  TraceInterval run;
  run.kind = TraceKind::running;
  run.goroutine = 7;
  run.proc = 3;
  run.begin = 100;
  run.end = 250;
  run.start_stack = 1;
  TraceInterval wait = run;
  wait.kind = TraceKind::chan_send;
  wait.begin = 250;
  wait.end = 900;
  wait.stack = 1;
  wait.waker = 8;
  wait.proc = model::no_trace_proc;
  return {run, wait};
}

/// A protobuf message's fields, by number; numbers as text.
std::multimap<unsigned, std::string> fields(std::string_view message) {
  std::multimap<unsigned, std::string> found;
  const auto varint = [&message] {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !message.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[0]);
      message.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!message.empty()) {
    const std::uint64_t tag = varint();
    const auto number = static_cast<unsigned>(tag >> 3);
    if ((tag & 7) == 0) {
      found.emplace(number, std::to_string(varint()));
      continue;
    }
    EXPECT_EQ(tag & 7, 2u);
    const std::uint64_t size = varint();
    EXPECT_LE(size, message.size());
    found.emplace(number, message.substr(0, size));
    message.remove_prefix(std::min<std::size_t>(size, message.size()));
  }
  return found;
}

TEST(Perfetto, TracksAndSlicesByThePublicFieldNumbers) {
  const model::TraceNames names = names_of_one_stack();
  std::string text;
  TracePerfetto perfetto(names, [&text](std::string_view part) { text += part; });
  for (const model::TraceInterval& interval : two_intervals()) perfetto.take(interval);
  perfetto.finish();
  std::map<std::string, std::string> track_names;
  std::vector<std::string> slices;
  for (const auto& [number, packet] : fields(text)) {
    ASSERT_EQ(number, 1u);  // Trace.packet
    const auto members = fields(packet);
    EXPECT_EQ(members.count(10), 1u);  // trusted_packet_sequence_id
    if (const auto found = members.find(60); found != members.end()) {
      const auto track = fields(found->second);
      if (track.contains(3))  // process: its name
        track_names[track.find(1)->second] = fields(track.find(3)->second).find(6)->second;
      else
        track_names[track.find(1)->second] =
            track_names.at(track.find(5)->second) + "/" + track.find(2)->second;
      continue;
    }
    const auto event = fields(members.find(11)->second);
    std::string slice = track_names.at(event.find(11)->second) + " " + event.find(9)->second +
                        " at " + members.find(8)->second;
    if (event.contains(23)) slice += " " + event.find(23)->second;
    slices.push_back(slice);
  }
  EXPECT_THAT(slices, ElementsAre("goroutines/goroutine 7 main.work 1 at 100 running",
                                  "goroutines/goroutine 7 main.work 2 at 250",
                                  "Ps/P3 1 at 100 goroutine 7 main.work", "Ps/P3 2 at 250",
                                  "goroutines/goroutine 7 main.work 1 at 250 chan send main.work",
                                  "goroutines/goroutine 7 main.work 2 at 900"));
}

std::string lines(TraceLines::Form form) {
  const model::TraceNames names = names_of_one_stack();
  std::string text;
  TraceLines printed(names, form, [&text](std::string_view part) { text += part; });
  for (const model::TraceInterval& interval : two_intervals()) printed.take(interval);
  printed.finish();
  return text;
}

TEST(TraceLines, Csv) {
  EXPECT_EQ(
      lines(TraceLines::Form::csv),
      "kind,goroutine,begin_ns,end_ns,duration_ns,proc,waker,open,region,task,function,place\n"
      "running,7,100,250,150,3,,0,\"\",\"\",\"\",\"\"\n"
      "chan send,7,250,900,650,,8,0,\"\",\"\",\"main.work\",\"/src/\"\"a\"\".go:12\"\n");
}

TEST(TraceLines, Json) {
  const std::string text = lines(TraceLines::Form::json);
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first.at("kind"), "running");
  const auto second = nlohmann::json::parse(text.substr(text.find('\n') + 1));
  EXPECT_EQ(second.at("waker"), 8);
  EXPECT_EQ(second.at("stack")[0], "main.work /src/\"a\".go:12");
}

TEST(TraceHeatText, DrawsWhereTheWaitsAre) {
  model::TraceHeat heat;
  heat.column_width = Nanos{1'000'000};
  heat.columns.resize(3);
  heat.columns[2][10] = 5;
  heat.columns[0][12] = 1;
  EXPECT_EQ(render_heat("select", heat, false),
            "select: waits over time, 1 ms a column, at most 5 in a cell\n"
            "  ≥ 4.1 µs │░  \n"
            " ≥ 2.05 µs │   \n"
            " ≥ 1.02 µs │  █\n"
            "           └0\n");
  EXPECT_THAT(render_heat_svg("a<b", heat),
              testing::AllOf(HasSubstr("<title>5 waits at 2 ms"), HasSubstr(">ab: waits")));
}

TEST(TracePage, HoldsWhatItDrawsAndSaysWhatItMerged) {
  model::TraceNames names = names_of_one_stack();
  names.strings[1] = "main.work</script>";
  TracePage page;
  page.report.summary.source = "a<b";
  page.report.sections.resize(1);
  page.report.sections[0].kind = TraceKind::select;
  page.heats.resize(1);
  page.heats[0].columns.resize(1);
  page.heats[0].columns[0][3] = 4;
  page.timeline.to = 600'000;
  page.timeline.finest = 1000;
  model::TraceLane& lane = page.timeline.lanes.emplace_back();
  lane.goroutine = 7;
  lane.start_stack = 1;
  lane.spells.resize(2);
  lane.spells[0].stack = 1;
  lane.spells[1].intervals = 3;
  lane.spells[1].parts = {{TraceKind::woken, 5}, {TraceKind::running, 2}};
  const std::string html = render_trace_html(page, names);
  const auto from = html.find("id=\"data\">") + 10;
  const auto data = nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
  EXPECT_EQ(data.at("title"), "a<b");
  EXPECT_EQ(data.at("kinds")[0].at("heat").at("cells"), nlohmann::json::parse("[[0,3,4]]"));
  EXPECT_EQ(data.at("lanes")[0].at("name"), "main.work</script>");
  EXPECT_EQ(data.at("places")[0], "main.work</script> /src/\"a\".go:12");
  EXPECT_EQ(data.at("lanes")[0].at("parts"), nlohmann::json::parse("{\"1\":[[1,5],[0,2]]}"));
  EXPECT_EQ(data.at("states"), nlohmann::json::parse("[\"running\",\"scheduling\"]"));
  EXPECT_THAT(data.at("lanes_note"), testing::StartsWith("3 of 4 intervals are shorter than 1 µs"));
}

}  // namespace
}  // namespace weir::report
