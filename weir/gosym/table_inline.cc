// Inlined calls: runtime.inlinedCall, src/runtime/symtabinl.go (1.21+), src/runtime/symtab.go
// (1.19, 1.20).
#include "weir/gosym/table.h"

namespace weir::gosym {

namespace {

constexpr std::size_t max_inline_depth = 1024;

struct InlinedCall {
  std::uint8_t raw_id = 0;
  std::uint32_t name_offset = 0;
  std::int32_t parent_pc = 0;  // offset from the physical function's entry
  std::int32_t start_line = 0;
};

bool read_inlined_call(const bytes::Window& gofunc, std::uint64_t tree, std::uint32_t index,
                       bool go_1_18, InlinedCall& call) {
  const std::size_t size = go_1_18 ? 20 : 16;
  const bytes::Bytes raw = gofunc.take(tree + size * std::uint64_t{index}, size);
  if (raw.empty()) return false;
  bytes::Cursor cursor(raw);
  if (go_1_18) {
    cursor.skip(2);  // parent
    call.raw_id = cursor.u8();
    cursor.skip(9);  // file, line: those of the call site, which parent_pc gives as well
    call.name_offset = cursor.u32();
    call.parent_pc = cursor.read<std::int32_t>();
  } else {
    call.raw_id = cursor.u8();
    cursor.skip(3);
    call.name_offset = cursor.u32();
    call.parent_pc = cursor.read<std::int32_t>();
    call.start_line = cursor.read<std::int32_t>();
  }
  return true;
}

}  // namespace

void Table::append_frames(const Function& function, LinkAddr pc,
                          std::vector<InlineFrame>& frames) const {
  const auto tree = find_funcdata(function, funcdata_inline_tree);
  LinkAddr at = pc;
  // A parent stands before its children (cmd/internal/obj.pcinlineState.addBranch): so a broken
  // tree cannot go in circles.
  std::int32_t last_index = std::numeric_limits<std::int32_t>::max();
  for (std::size_t depth = 0; tree && depth < max_inline_depth; ++depth) {
    const std::int32_t index = find_pcdata(function, pcdata_inline_tree, at);
    InlinedCall call;
    if (index < 0 || index >= last_index ||
        !read_inlined_call(gofunc_, tree->value - location_.gofunc.value,
                           static_cast<std::uint32_t>(index), header_.go_1_18, call)) {
      break;
    }
    frames.push_back({.function = name_at(call.name_offset),
                      .source = find_line(function, at),
                      .start_line = call.start_line,
                      .id = to_func_id(call.raw_id, location_.go_minor),
                      .inlined = true,
                      .pc = at});
    last_index = index;
    at = function.entry + static_cast<std::uint64_t>(std::int64_t{call.parent_pc});
  }
  frames.push_back({.function = function.name,
                    .source = find_line(function, at),
                    .start_line = function.start_line,
                    .id = function.id,
                    .inlined = false,
                    .pc = at});
}

}  // namespace weir::gosym
