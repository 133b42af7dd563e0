#include "weir/gosym/module_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

#include "weir/elf/relocations.h"
#include "weir/gosym/pcln_header.h"

namespace weir::gosym {

namespace {

// Fields that have not moved from 1.18 to 1.27.
constexpr std::uint32_t off_ftab = 128, off_min_pc = 160, off_text = 176, off_noptrdata = 192;
constexpr std::size_t max_text_sections = 4096;
constexpr std::size_t page_size = 4096;
constexpr std::size_t chunk_size = 16 * page_size;

constexpr ModuleLayout layouts[] = {
    {.first_minor = 19,
     .end = 256,
     .gcdata = 264,
     .gcbss = 272,
     .types = 280,
     .etypes = 288,
     .rodata = 296,
     .gofunc = 304,
     .textsectmap = 312,
     .has_main = 488,
     .gcdatamask = 496,
     .gcbssmask = 512,
     .next = 544,
     .size = 552},
    {.first_minor = 20,
     .end = 272,
     .gcdata = 280,
     .gcbss = 288,
     .types = 296,
     .etypes = 304,
     .rodata = 312,
     .gofunc = 320,
     .textsectmap = 328,
     .has_main = 504,
     .gcdatamask = 512,
     .gcbssmask = 528,
     .next = 560,
     .size = 568},
    {.first_minor = 21,
     .end = 272,
     .gcdata = 280,
     .gcbss = 288,
     .types = 296,
     .etypes = 304,
     .rodata = 312,
     .gofunc = 320,
     .textsectmap = 328,
     .has_main = 528,
     .gcdatamask = 536,
     .gcbssmask = 552,
     .next = 584,
     .size = 592},
    {.first_minor = 23,
     .end = 272,
     .gcdata = 280,
     .gcbss = 288,
     .types = 296,
     .etypes = 304,
     .rodata = 312,
     .gofunc = 320,
     .textsectmap = 328,
     .has_main = 528,
     .gcdatamask = 536,
     .gcbssmask = 552,
     .next = 576,
     .size = 584},
    {.first_minor = 26,
     .end = 272,
     .gcdata = 280,
     .gcbss = 288,
     .types = 296,
     .etypes = 304,
     .rodata = 312,
     .gofunc = 320,
     .textsectmap = 336,
     .has_main = 536,
     .gcdatamask = 544,
     .gcbssmask = 560,
     .next = 584,
     .size = 592},
    {.first_minor = 27,
     .end = 272,
     .gcdata = 280,
     .gcbss = 288,
     .types = 296,
     .etypes = 312,
     .rodata = 336,
     .gofunc = 344,
     .textsectmap = 360,
     .has_main = 512,
     .gcdatamask = 520,
     .gcbssmask = 536,
     .next = 560,
     .size = 568},
};
static_assert(std::all_of(std::begin(layouts), std::end(layouts),
                          [](const ModuleLayout& l) { return l.size <= 1024; }));

// The words of one moduledata.
class Words {
 public:
  explicit Words(bytes::Bytes bytes) : bytes_(bytes) {}
  std::uint64_t at(std::uint32_t offset) const {
    std::uint64_t value = 0;
    bytes::read_at(bytes_, offset, value);
    return value;
  }
  Address address(std::uint32_t offset) const { return {at(offset)}; }
  PointerMask mask(std::uint32_t offset) const {
    return {static_cast<std::uint32_t>(at(offset)), address(offset + 8)};
  }

 private:
  bytes::Bytes bytes_;
};

Error not_module_data(Address at, std::string_view why) {
  return {ErrorCode::invalid, fmt::format("no moduledata here: {}", why), at, 0, {}};
}

bool ordered(std::initializer_list<Address> addresses) {
  return std::is_sorted(addresses.begin(), addresses.end());
}

ModuleData decode(const Words& words, Address at, const ModuleLayout& layout) {
  ModuleData data;
  data.at = at;
  data.pc_header = words.address(0);
  data.min_pc = words.address(off_min_pc);
  data.max_pc = words.address(off_min_pc + 8);
  data.text = words.address(off_text);
  data.etext = words.address(off_text + 8);
  Address* const pairs[] = {&data.noptrdata, &data.enoptrdata, &data.data,     &data.edata,
                            &data.bss,       &data.ebss,       &data.noptrbss, &data.enoptrbss};
  for (std::uint32_t i = 0; i < std::size(pairs); ++i) {
    *pairs[i] = words.address(off_noptrdata + 8 * i);
  }
  data.end = words.address(layout.end);
  data.gcdata = words.address(layout.gcdata);
  data.gcbss = words.address(layout.gcbss);
  data.types = words.address(layout.types);
  data.etypes = words.address(layout.etypes);
  data.rodata = words.address(layout.rodata);
  data.gofunc = words.address(layout.gofunc);
  data.data_mask = words.mask(layout.gcdatamask);
  data.bss_mask = words.mask(layout.gcbssmask);
  data.has_main = (words.at(layout.has_main) & 0xff) != 0;
  data.next = words.address(layout.next);
  return data;
}

Result<std::vector<TextSection>> read_text_sections(const ReadMemory& read, Address at,
                                                    std::uint64_t count) {
  std::vector<TextSection> sections;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::array<std::uint64_t, 3> words{};
    if (!read(at + i * sizeof words, std::as_writable_bytes(std::span(words)))) {
      return fail(ErrorCode::unmapped, "the text section map is not readable", at);
    }
    if (words[1] < words[0] || (i > 0 && words[0] < sections.back().end)) {
      return fail(ErrorCode::invalid, "the text section map is out of order", at);
    }
    sections.push_back({words[0], words[1], {words[2]}});
  }
  return sections;
}

// What must hold whatever the version; the fields that moved decide between layouts.
std::string_view find_flaw(const ModuleData& data, const Words& words, const ModuleLayout& layout,
                           std::uint64_t function_count) {
  const std::uint64_t index_size = words.at(off_ftab + 8);
  if (index_size != function_count + 1) return "another number of functions";
  if (!ordered({data.min_pc, data.max_pc}) || !ordered({data.text, data.etext}) ||
      data.min_pc < data.text || data.etext < data.max_pc) {
    return "the text range is out of order";
  }
  if (!ordered({data.noptrdata, data.enoptrdata}) || !ordered({data.data, data.edata}) ||
      !ordered({data.bss, data.ebss}) || !ordered({data.noptrbss, data.enoptrbss}) ||
      data.end < data.enoptrbss) {
    return "the data ranges are out of order";
  }
  if (!data.types || !data.gofunc || !data.rodata || data.etypes < data.types) {
    return "no types, rodata or gofunc";
  }
  const std::uint64_t sections = words.at(layout.textsectmap + 8);
  if (sections > max_text_sections || sections != words.at(layout.textsectmap + 16)) {
    return "no text section map";
  }
  if (sections != 0 && !words.address(layout.textsectmap)) return "no text section map";
  const std::uint64_t has_main = words.at(layout.has_main) & 0xffff;  // and `bad`, or padding
  if (has_main > 1) return "hasmain is not a flag";
  return {};
}

// Fills `into`; where a page is missing, with zeros.
void read_or_zero(const ReadMemory& read, Address at, std::span<std::byte> into) {
  if (read(at, into)) return;
  while (!into.empty()) {
    const std::size_t to_page_end = page_size - at.value % page_size;
    const std::span<std::byte> part = into.first(std::min(into.size(), to_page_end));
    if (!read(at, part)) std::ranges::fill(part, std::byte{0});
    at = at + part.size();
    into = into.subspan(part.size());
  }
}

struct CandidateSearch {
  const ReadMemory& read;
  const ModuleKey& key;

  // The module data at `at`, by the layout of the version or by the first that fits.
  Result<ModuleData> try_at(Address at) const {
    if (key.go_minor != 0) {
      return read_module_data(read, at, *find_module_layout(key.go_minor), key.pc_header,
                              key.function_count);
    }
    Error last = not_module_data(at, "no layout fits");
    for (auto layout = std::rbegin(layouts); layout != std::rend(layouts); ++layout) {
      auto data = read_module_data(read, at, *layout, key.pc_header, key.function_count);
      if (data) return data;
    }
    return fail(std::move(last));
  }

  std::optional<ModuleData> search(const SearchRange& range) const {
    std::vector<std::byte> chunk(chunk_size + 8);
    const std::uint64_t names = key.pc_header.value + key.names_offset;
    const std::uint64_t skip = (8 - range.start.value % 8) % 8;
    for (std::uint64_t done = skip; done + 16 <= range.size; done += chunk_size) {
      const std::uint64_t size = std::min<std::uint64_t>(chunk.size(), range.size - done) & ~7ull;
      read_or_zero(read, range.start + done, std::span(chunk).first(size));
      for (std::uint64_t i = 0; i + 16 <= size; i += 8) {
        std::uint64_t first = 0, second = 0;
        std::memcpy(&first, chunk.data() + i, 8);
        if (first != key.pc_header.value) continue;
        std::memcpy(&second, chunk.data() + i + 8, 8);
        if (second != names) continue;
        if (auto data = try_at(range.start + (done + i))) return std::move(*data);
      }
    }
    return std::nullopt;
  }
};

// The file's bytes as the loader would leave them at bias 0.
ReadMemory file_memory(const elf::File& file) {
  auto relocations = std::make_shared<const std::vector<elf::RelativeRelocation>>(
      elf::find_relative_relocations(file));
  return [&file, relocations](Address at, std::span<std::byte> into) {
    const bytes::Bytes source = file.window_at({at.value}).unnoted();
    if (source.size() < into.size()) return false;
    std::copy_n(source.begin(), into.size(), into.begin());
    auto next = std::lower_bound(relocations->begin(), relocations->end(), LinkAddr{at.value},
                                 [](const auto& r, LinkAddr a) { return r.where < a; });
    for (; next != relocations->end() && next->where.value - at.value < into.size(); ++next) {
      const std::uint64_t offset = next->where.value - at.value;
      if (into.size() - offset < 8) break;
      std::memcpy(into.data() + offset, &next->target.value, 8);
    }
    return true;
  };
}

Result<ModuleKey> make_key(const elf::File& file, LinkAddr pclntab, LoadBias bias, int go_minor) {
  const bytes::Window table(file.window_at(pclntab).unnoted(), 0, nullptr);
  WEIR_TRY(const PclnHeader header, parse_pcln_header(table, file.machine()));
  return ModuleKey{bias.to_run(pclntab), header.names, header.function_count, go_minor};
}

// .go.module (1.26+) alone if there is one, then every writable segment.
std::vector<SearchRange> search_ranges(const elf::File& file, LoadBias bias, bool file_backed) {
  std::vector<SearchRange> ranges;
  if (const auto section = file.find_section(".go.module")) {
    ranges.push_back({bias.to_run(section->start), section->size});
  }
  for (const elf::Segment& load : file.loads()) {
    if (!load.writable) continue;
    ranges.push_back({bias.to_run(load.start), file_backed ? load.file_size : load.memory_size});
  }
  return ranges;
}

}  // namespace

std::span<const ModuleLayout> module_layouts() {
  return layouts;
}

const ModuleLayout* find_module_layout(int minor) {
  const ModuleLayout* found = nullptr;
  for (const ModuleLayout& layout : layouts) {
    if (layout.first_minor <= minor) found = &layout;
  }
  return found;
}

Result<ModuleData> read_module_data(const ReadMemory& read, Address at, const ModuleLayout& layout,
                                    Address pc_header, std::uint64_t function_count) {
  std::array<std::byte, 1024> raw{};
  const std::span<std::byte> used = std::span(raw).first(layout.size);
  if (!read(at, used)) return fail(ErrorCode::unmapped, "moduledata is not readable", at);
  const Words words(used);
  ModuleData data = decode(words, at, layout);
  if (data.pc_header != pc_header) return fail(not_module_data(at, "another function table"));
  const std::string_view flaw = find_flaw(data, words, layout, function_count);
  if (!flaw.empty()) return fail(not_module_data(at, flaw));
  const std::uint64_t sections = words.at(layout.textsectmap + 8);
  if (sections > 1) {
    WEIR_TRY(data.text_sections,
             read_text_sections(read, words.address(layout.textsectmap), sections));
  }
  return data;
}

Result<ModuleData> find_module_data(const ReadMemory& read, std::span<const SearchRange> ranges,
                                    const ModuleKey& key) {
  if (key.go_minor != 0 && find_module_layout(key.go_minor) == nullptr) {
    return fail(ErrorCode::unsupported,
                fmt::format("built by Go 1.{}, older than 1.19", key.go_minor));
  }
  const CandidateSearch search{read, key};
  for (const SearchRange& range : ranges) {
    if (auto data = search.search(range)) return std::move(*data);
  }
  return fail(ErrorCode::not_found, "no moduledata that belongs to the function table");
}

Result<ModuleData> find_live_module_data(const ReadMemory& read, const elf::File& file,
                                         LinkAddr pclntab, LoadBias bias, int go_minor) {
  WEIR_TRY(const ModuleKey key, make_key(file, pclntab, bias, go_minor));
  return find_module_data(read, search_ranges(file, bias, false), key);
}

Result<ModuleData> find_static_module_data(const elf::File& file, LinkAddr pclntab, int go_minor) {
  WEIR_TRY(const ModuleKey key, make_key(file, pclntab, LoadBias{}, go_minor));
  return find_module_data(file_memory(file), search_ranges(file, LoadBias{}, true), key);
}

}  // namespace weir::gosym
