// memory-scan PID..: looks for byte strings in everything that the processes have mapped. The strings come on standard
// input, in hex, one a line, 16 to 64 bytes each; a line of JSON for each process says how much was read and which
// lines (from 0) were found. A program of tests: it must be root, as nodes refuse to be read by their own user.
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t kShortest = 16, kLongest = 64;
constexpr std::size_t kChunk = 1 << 20;

using Text = std::vector<std::uint8_t>;

std::uint64_t head_of(const std::uint8_t* bytes) {
  std::uint64_t out = 0;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

struct Sought {
  std::vector<Text> texts;
  std::unordered_multimap<std::uint64_t, std::size_t> by_head;
  std::vector<bool> may_begin = std::vector<bool>(1 << 16);  // the first two bytes of any
};

bool read_sought(Sought& sought) {
  for (std::string line; std::getline(std::cin, line);) {
    Text text;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      text.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
    }
    if (text.size() < kShortest || text.size() > kLongest) return false;
    sought.by_head.emplace(head_of(text.data()), sought.texts.size());
    sought.may_begin[static_cast<std::size_t>(text[0] | text[1] << 8)] = true;
    sought.texts.push_back(std::move(text));
  }
  return !sought.texts.empty();
}

void look(const Sought& sought, const Text& bytes, std::set<std::size_t>& found) {
  for (std::size_t at = 0; at + kShortest <= bytes.size(); ++at) {
    if (!sought.may_begin[static_cast<std::size_t>(bytes[at] | bytes[at + 1] << 8)]) continue;
    const auto [first, last] = sought.by_head.equal_range(head_of(bytes.data() + at));
    for (auto entry = first; entry != last; ++entry) {
      const Text& text = sought.texts[entry->second];
      if (at + text.size() <= bytes.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0) {
        found.insert(entry->second);
      }
    }
  }
}

// The bytes read; 0 if the memory cannot be opened.
std::uint64_t scan(const std::string& pid, const Sought& sought, std::set<std::size_t>& found) {
  std::ifstream maps("/proc/" + pid + "/maps");
  const int memory = open(("/proc/" + pid + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0) return 0;
  std::uint64_t all = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    char rights = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %c", &begin, &end, &rights) != 3 || rights != 'r') continue;
    Text bytes;  // with the end of the chunk before
    for (std::uint64_t at = begin; at < end;) {
      const std::size_t kept = std::min(bytes.size(), kLongest - 1);
      bytes.erase(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(kept));
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, end - at));
      bytes.resize(kept + size);
      const ssize_t got = pread(memory, bytes.data() + kept, size, static_cast<off_t>(at));
      if (got <= 0) break;  // vvar and the like
      bytes.resize(kept + static_cast<std::size_t>(got));
      look(sought, bytes, found);
      all += static_cast<std::uint64_t>(got);
      at += static_cast<std::uint64_t>(got);
    }
  }
  close(memory);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  Sought sought;
  if (argc < 2 || !read_sought(sought)) {
    std::fprintf(stderr, "memory-scan PID.. < strings of 16 to 64 bytes in hex, one a line\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    std::set<std::size_t> found;
    const std::uint64_t size = scan(argv[i], sought, found);
    std::printf("{\"pid\": %s, \"bytes\": %" PRIu64 ", \"found\": [", argv[i], size);
    const char* comma = "";
    for (const std::size_t each : found) {
      std::printf("%s%zu", comma, each);
      comma = ", ";
    }
    std::printf("]}\n");
    if (size == 0) return 1;
  }
  return 0;
}
