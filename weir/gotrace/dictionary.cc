#include "weir/gotrace/dictionary.h"

#include <algorithm>

namespace weir::gotrace {
namespace {

constexpr std::uint64_t largest_dense = std::uint64_t{1} << 20;  // the runtime counts from 1

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

}  // namespace

std::size_t Dictionary::FrameHash::operator()(const Frame& frame) const {
  const std::uint64_t names = (std::uint64_t{frame.function} << 32) | frame.file;
  return mix(mix(mix(0, frame.pc), names), frame.line);
}

Dictionary::Dictionary() : stack_begin_{0, 0} {
  strings_.emplace_back();
  string_ids_.emplace(strings_.back(), 0);
}

StringId Dictionary::add_string(std::string_view text) {
  if (const auto known = string_ids_.find(text); known != string_ids_.end()) return known->second;
  const auto id = static_cast<StringId>(strings_.size());
  strings_.emplace_back(text);
  string_ids_.emplace(strings_.back(), id);
  return id;
}

FrameId Dictionary::add_frame(const Frame& frame) {
  const auto [known, is_new] = frame_ids_.emplace(frame, static_cast<FrameId>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return known->second;
}

StackId Dictionary::add_stack(std::span<const FrameId> frames) {
  if (frames.empty()) return 0;
  std::uint64_t hash = frames.size();
  for (const FrameId frame : frames) hash = mix(hash, frame);
  const auto [first, last] = stack_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it)
    if (std::ranges::equal(stack(it->second), frames)) return it->second;
  const auto id = static_cast<StackId>(stack_count());
  stack_frames_.insert(stack_frames_.end(), frames.begin(), frames.end());
  stack_begin_.push_back(static_cast<std::uint32_t>(stack_frames_.size()));
  stack_ids_.emplace(hash, id);
  return id;
}

void LocalIds::clear() {
  for (const std::uint32_t local : set_) dense_[local] = 0;
  set_.clear();
  sparse_.clear();
}

void LocalIds::set(std::uint64_t local, std::uint32_t global) {
  if (local >= largest_dense) {
    sparse_[local] = global;
    return;
  }
  if (local >= dense_.size()) dense_.resize(local + 1 + local / 2);
  if (dense_[local] == 0) set_.push_back(static_cast<std::uint32_t>(local));
  dense_[local] = global;
}

std::uint32_t LocalIds::find_other(std::uint64_t local, std::uint64_t& unknown) const {
  if (const auto found = sparse_.find(local); found != sparse_.end()) return found->second;
  ++unknown;
  return 0;
}

}  // namespace weir::gotrace
