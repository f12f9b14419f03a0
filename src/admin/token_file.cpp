#include <forebay/admin/token_file.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/file.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>

#include <openssl/crypto.h>

namespace forebay::admin {
namespace {

constexpr std::size_t kTokenMin = 16;
constexpr std::size_t kTokenMax = 4096;

/// The file's text without the end of its line.
std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

Result<Secret> parse_token(const std::string& path) {
  constexpr std::size_t kLineEndMax = 16;
  const auto refuse = [&path](std::string_view why) -> Error {
    log::get("admin").error("token file {}: {}", path, why);
    return Errc::invalid_config;
  };
  auto read = read_file(path, kTokenMax + kLineEndMax);
  if (!read)
    return refuse(read.error().message());
  const Secret text{std::move(read).value()};
  const std::string_view token = without_line_end(text);
  if (token.size() < kTokenMin || token.size() > kTokenMax)
    return refuse("holds no token of 16 to 4096 characters");
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; }))
    return refuse("holds a blank, a second line or a character beyond ASCII");
  return Secret{token};
}

Result<Secret> load_token(SecretFile& file) {
  Secret token;
  TRY(file.read([&token](const std::string& path) -> Result<void> {
    TRY(token, parse_token(path));
    return success();
  }));
  return token;
}

}  // namespace

Result<Secret> read_token(const std::string& path) {
  SecretFile file{"token file", path};
  return load_token(file);
}

Result<std::unique_ptr<TokenFile>> TokenFile::open(std::string path) {
  std::unique_ptr<TokenFile> opened{new TokenFile{std::move(path)}};
  TRY(opened->load());
  return opened;
}

Result<void> TokenFile::load() {
  TRY(Secret token, load_token(file_));
  const std::lock_guard lock{mutex_};
  token_ = std::move(token);
  return success();
}

bool TokenFile::matches(std::string_view token) const {
  const std::lock_guard lock{mutex_};
  return token.size() == token_.size() &&
         CRYPTO_memcmp(token.data(), token_.str().data(), token.size()) == 0;
}

void TokenFile::poll() {
  if (!file_.changed())
    return;
  if (load())
    log::get("admin").info("token file {}: reloaded", file_.path());
  else
    log::get("admin").error("token file {}: not usable, the token read before stays", file_.path());
}

}  // namespace forebay::admin
