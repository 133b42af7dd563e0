#include "weir/sched/token.h"

#include <array>
#include <charconv>

#include "weir/bytes/cursor.h"
#include "weir/sched/describe.h"

namespace weir::sched {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_size = 4;
constexpr std::size_t longest_token = 4096;
constexpr std::size_t longest_run = 65'536;  // of choices
// RFC 4648, section 5: safe in file names, URLs and shells.
constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += alphabet[(bits >> (count - 6)) & 63];
  }
  if (count > 0) text += alphabet[(bits << (6 - count)) & 63];
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

void put_fixed(std::string& out, std::uint64_t value, std::size_t size = 8) {
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

std::string read_text(bytes::Cursor& cursor) {
  const std::uint64_t size = cursor.varint();
  return size > cursor.left() ? (cursor.skip(cursor.left() + 1), std::string())
                              : std::string(bytes::as_text(cursor.take(size)));
}

std::uint64_t from_hex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

/// Pairs: how many zeros come before, and the choice.
void put_choices(std::string& out, const std::vector<std::uint32_t>& choices) {
  std::uint64_t zeros = 0;
  for (const std::uint32_t choice : choices) {
    if (choice == 0) {
      ++zeros;
      continue;
    }
    put_varint(out, std::exchange(zeros, 0));
    put_varint(out, choice);
  }
}

Result<std::vector<std::uint32_t>> read_choices(bytes::Cursor& cursor) {
  std::vector<std::uint32_t> choices;
  while (!cursor.done()) {
    const std::uint64_t zeros = cursor.varint();
    const std::uint64_t choice = cursor.varint();
    if (!cursor.ok() || zeros > longest_run - choices.size() || choice == 0 || choice > UINT32_MAX)
      return fail(ErrorCode::invalid, "the token's choices make no sense");
    choices.resize(choices.size() + zeros);
    choices.push_back(static_cast<std::uint32_t>(choice));
  }
  return choices;
}

}  // namespace

std::uint64_t hash_of_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string seal_token(std::string bytes) {
  put_fixed(bytes, hash_of_text(bytes), checksum_size);
  return std::string(token_prefix) + to_base64(bytes);
}

std::optional<std::string> make_token(const model::Schedule& schedule) {
  if (!schedule.arguments.empty() || schedule.race) return std::nullopt;
  std::string body;
  body += static_cast<char>(version);
  put_fixed(body, hash_of_text(schedule.build_id));
  put_fixed(body, from_hex(schedule.hooks));
  put_fixed(body, from_hex(schedule.hash));
  put_varint(body, schedule.seed);
  put_text(body, schedule.package);
  put_text(body, schedule.test);
  put_choices(body, choices_of(schedule));
  std::string word = seal_token(std::move(body));
  if (word.size() > token_limit) return std::nullopt;
  return word;
}

Result<Token> parse_token(std::string_view word) {
  if (!word.starts_with(token_prefix) || word.size() > longest_token)
    return fail(ErrorCode::invalid, "this is no token of a schedule: they begin with x:");
  const auto body = from_base64(word.substr(token_prefix.size()));
  if (!body || body->size() < checksum_size)
    return fail(ErrorCode::invalid, "the token holds a character that no token has, or was cut");
  const std::string_view content = std::string_view(*body).substr(0, body->size() - checksum_size);
  std::string sum;
  put_fixed(sum, hash_of_text(content), checksum_size);
  if (!body->ends_with(sum))
    return fail(ErrorCode::invalid, "the token was cut or mistyped; copy it once more");
  bytes::Cursor cursor(bytes::as_bytes(content));
  if (cursor.u8() != version)
    return fail(ErrorCode::unsupported, "the token is of another version of weir");
  Token token;
  token.build = cursor.u64();
  token.hooks = cursor.u64();
  token.hash = cursor.u64();
  token.seed = cursor.varint();
  token.package = read_text(cursor);
  token.test = read_text(cursor);
  if (!cursor.ok() || token.test.empty()) return fail(ErrorCode::invalid, "the token ends early");
  WEIR_TRY(token.choices, read_choices(cursor));
  return token;
}

}  // namespace weir::sched
