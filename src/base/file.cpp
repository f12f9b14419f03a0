#include <forebay/base/file.hpp>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace forebay {

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
  const auto last_error = [] { return Error{errno, boost::system::system_category()}; };
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "rbe")};
  if (!file)
    return last_error();
  // A buffer of its own would keep what a file of secrets holds.
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::string text(size_max + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0)
    return last_error();
  return text;
}

}  // namespace forebay
