#include "weir/gortime/program.h"

#include <fmt/format.h>

#include "weir/gortime/layout_check.h"
#include "weir/gosym/build_info.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t reason_limit = 256;  // g.waitreason is a byte
constexpr std::uint64_t reason_text_limit = 256;
constexpr std::uint64_t section_limit = 4096;

struct StringHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
};

gosym::ReadMemory reader_of(target::Memory& memory) {
  return [&memory](Address at, std::span<std::byte> into) {
    return memory.read(at, into).has_value();
  };
}

std::uint64_t find_hint(const Hints& hints, const std::string& name) {
  const auto found = hints.find(name);
  return found == hints.end() ? 0 : found->second;
}

/// The module data as the linker left it in the file. That also serves for a process that has not
/// run its first instruction yet, where a position-independent program's own copy is still without
/// its relocations.
Result<gosym::ModuleData> find_module(const elf::File& file, target::Memory& memory, LoadBias bias,
                                      int go_minor) {
  WEIR_TRY(const LinkAddr pclntab, gosym::find_pclntab(file));
  auto in_file = gosym::find_static_module_data(file, pclntab, go_minor);
  if (in_file) return in_file;
  WEIR_TRY(auto live,
           gosym::find_live_module_data(reader_of(memory), file, pclntab, bias, go_minor));
  // Everything below counts in link addresses.
  for (Address gosym::ModuleData::*member :
       {&gosym::ModuleData::pc_header, &gosym::ModuleData::text, &gosym::ModuleData::gofunc,
        &gosym::ModuleData::types, &gosym::ModuleData::etypes})
    live.*member = live.*member - bias.value;
  for (gosym::TextSection& section : live.text_sections) section.base = section.base - bias.value;
  return live;
}

gosym::Location location_of(const Hints& hints) {
  gosym::Location location;
  location.pclntab = LinkAddr{find_hint(hints, "pclntab")};
  location.text = LinkAddr{find_hint(hints, "text")};
  location.gofunc = LinkAddr{find_hint(hints, "gofunc")};
  location.types = LinkAddr{find_hint(hints, "types")};
  location.go_minor = static_cast<int>(find_hint(hints, "go_minor"));
  const std::uint64_t sections = find_hint(hints, "text_sections");
  for (std::uint64_t i = 0; i < sections && i < section_limit; ++i) {
    const std::string name = fmt::format("text_section.{}.", i);
    location.text_sections.push_back({find_hint(hints, name + "start"),
                                      find_hint(hints, name + "end"),
                                      Address{find_hint(hints, name + "base")}});
  }
  return location;
}

void note_location(const gosym::Location& location, Hints& hints) {
  hints["pclntab"] = location.pclntab.value;
  hints["text"] = location.text.value;
  hints["gofunc"] = location.gofunc.value;
  hints["types"] = location.types.value;
  hints["go_minor"] = static_cast<std::uint64_t>(location.go_minor);
  hints["text_sections"] = location.text_sections.size();
  for (std::size_t i = 0; i < location.text_sections.size(); ++i) {
    const gosym::TextSection& section = location.text_sections[i];
    const std::string name = fmt::format("text_section.{}.", i);
    hints[name + "start"] = section.start;
    hints[name + "end"] = section.end;
    hints[name + "base"] = section.base.value;
  }
}

Result<std::vector<std::string>> read_reasons(const Globals& globals, target::Memory& memory) {
  std::uint64_t count = globals.wait_reason_count;
  const bool exact = count != 0;
  if (count == 0 || count > reason_limit) count = reason_limit;
  std::vector<std::string> reasons;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto header = memory.read<StringHeader>(globals.wait_reason_strings + i * sizeof(StringHeader));
    if (!header || header->length > reason_text_limit) break;
    std::string text(header->length, '\0');
    if (!memory.read(Address{header->data}, std::as_writable_bytes(std::span(text)))) break;
    reasons.push_back(std::move(text));
  }
  if (reasons.empty() || (exact && reasons.size() != count))
    return fail(ErrorCode::invalid, "runtime.waitReasonStrings is not readable text",
                globals.wait_reason_strings);
  return reasons;
}

tl::unexpected<Error> does_not_fit(const Assumption& assumption, const Error& error) {
  return fail(ErrorCode::unsupported,
              fmt::format("{}, and with the layout of {} it makes no sense: {}", assumption.unknown,
                          assumption.source, to_string(error)));
}

struct GlobalHint {
  const char* name;
  Address Globals::*member;
};
constexpr GlobalHint global_hints[] = {
    {"global.allglen", &Globals::allglen},
    {"global.allgptr", &Globals::allgptr},
    {"global.allm", &Globals::allm},
    {"global.allp", &Globals::allp},
    {"global.sched", &Globals::sched},
    {"global.semtable", &Globals::semtable},
    {"global.waitReasonStrings", &Globals::wait_reason_strings},
    {"global.tracebackancestors", &Globals::traceback_ancestors},
    {"global.mheap", &Globals::mheap},
    {"global.allfin", &Globals::allfin},
    {"global.gcCleanups", &Globals::gc_cleanups},
    {"global.persistentChunks", &Globals::persistent_chunks},
    {"global.panicking", &Globals::panicking},
};

std::optional<Globals> globals_of(const Hints& hints) {
  if (!hints.contains("global.allglen")) return std::nullopt;
  Globals globals;
  for (const GlobalHint& hint : global_hints)
    globals.*hint.member = Address{find_hint(hints, hint.name)};
  globals.wait_reason_count = static_cast<std::uint32_t>(find_hint(hints, "wait_reason_count"));
  return globals;
}

void note_globals(const Globals& globals, Hints& hints) {
  for (const GlobalHint& hint : global_hints) hints[hint.name] = (globals.*hint.member).value;
  hints["wait_reason_count"] = globals.wait_reason_count;
}

}  // namespace

Result<Program> Program::open(bytes::Bytes executable, target::Memory& memory, LoadBias bias,
                              const Hints& hints, bytes::PageSet* touched,
                              const std::string& dwarf_path) {
  Program program;
  WEIR_TRY(auto file, elf::File::parse(executable, touched));
  program.file_ = std::make_unique<elf::File>(std::move(file));
  program.bias_ = bias;
  auto info = gosym::find_build_info(*program.file_);
  if (!info && info.error().code == ErrorCode::not_found)
    return fail(ErrorCode::unsupported, "not a Go program: it has no Go build information");
  if (!info) return fail(std::move(info).error());
  program.go_version_ = info->go_version;
  if (!info->experiments.empty()) program.go_version_ += " X:" + info->experiments;
  program.go_minor_ = info->version.minor;
  if (program.go_minor_ != 0 && program.go_minor_ < 19)
    return fail(ErrorCode::unsupported,
                fmt::format("the program was built with {}; weir reads Go 1.19 and newer",
                            program.go_version_));

  gosym::Location location = location_of(hints);
  LinkAddr types_end{find_hint(hints, "types_end")};
  if (hints.empty()) {
    WEIR_TRY(const auto module, find_module(*program.file_, memory, bias, program.go_minor_));
    location = gosym::to_location(module, LoadBias{}, program.go_minor_);
    types_end = LinkAddr{module.etypes.value};
  }
  program.types_ = bias.to_run(location.types);
  program.types_end_ = bias.to_run(types_end);
  WEIR_TRY(auto table, gosym::Table::open(*program.file_, location));
  program.table_ = std::make_unique<gosym::Table>(std::move(table));

  WEIR_TRY(program.choice_, choose_layout(*info, program.file_->machine(), dwarf_path, hints));
  if (const auto known = globals_of(hints)) {
    program.globals_ = *known;
  } else {
    auto globals =
        locate_globals(*program.file_, *program.table_, bias, program.layout(), program.notes_);
    if (!globals && program.choice_.assumption)
      return does_not_fit(*program.choice_.assumption, globals.error());
    WEIR_TRY(program.globals_, std::move(globals));
  }
  note_location(location, program.hints_);
  program.hints_["types_end"] = types_end.value;
  note_globals(program.globals_, program.hints_);
  note_layout(program.choice_, program.hints_);
  return program;
}

Result<void> Program::prepare(target::Memory& memory) {
  if (const auto& assumption = choice_.assumption) {
    const auto fits = check_layout({choice_.layout, globals_, *table_, bias_}, memory);
    if (!fits) return does_not_fit(*assumption, fits.error());
    if (wait_reasons_.empty())
      notes_.add(
          Severity::warning,
          fmt::format("{}; read with the layout of {}, which fits all of {} goroutines looked at",
                      assumption->unknown, assumption->source, *fits));
  }
  WEIR_TRY(wait_reasons_, read_reasons(globals_, memory));
  return {};
}

Address Program::find_entry(std::string_view function) const {
  const auto found = table_->find_function(function);
  return found ? bias_.to_run(found->entry) : Address{};
}

}  // namespace weir::gortime
