// fuzz_corpus: replays tests/fuzz/corpus/<fuzzer>/* through the fuzzers, each file as it is and in some mutations that
// are the same on every machine. `fuzz_corpus FUZZER FILE` runs one input, for example a crash that libFuzzer found;
// `fuzz_corpus --seeds FOLDER` writes the corpora anew from real encodings (seeds.h).
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/seeds.h"

namespace kms::fuzz {
namespace {

std::map<std::string, Body>& fuzzers() {
  static std::map<std::string, Body> all;
  return all;
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

Bytes mutated(Bytes bytes, sim::Random& random) {
  if (bytes.empty()) return bytes;
  for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
    std::size_t at = random.below(bytes.size());
    switch (random.below(4)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1u << random.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<std::uint8_t>(random.next());
        break;
      case 2:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random.next()));
        break;
      default:
        if (bytes.size() > 1) bytes.resize(at + 1);
    }
  }
  return bytes;
}

std::size_t replay(const std::string& name, Body body, const std::filesystem::path& folder) {
  constexpr int kMutations = 16;
  std::size_t runs = 0;
  body({});
  if (!std::filesystem::is_directory(folder)) return runs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::fprintf(stderr, "%s %s\n", name.c_str(), entry.path().filename().c_str());  // the last line names a crash
    Bytes bytes = read(entry.path());
    body(bytes);
    sim::Random random(bytes.size());
    for (int i = 0; i < kMutations; ++i) body(mutated(bytes, random));
    runs += 1 + kMutations;
  }
  return runs;
}

int write_seeds(const std::filesystem::path& folder) {
  for (const Seed& seed : make_seeds()) {
    if (!fuzzers().contains(seed.fuzzer)) {
      std::fprintf(stderr, "there is no fuzzer %s\n", seed.fuzzer.c_str());
      return 1;
    }
    std::filesystem::create_directories(folder / seed.fuzzer);
    std::ofstream file(folder / seed.fuzzer / seed.name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.bytes.data()), static_cast<std::streamsize>(seed.bytes.size()));
  }
  return 0;
}

}  // namespace

Registration::Registration(const char* name, Body body) {
  fuzzers()[name] = body;
}

}  // namespace kms::fuzz

int main(int argc, char** argv) {
  using namespace kms::fuzz;
  std::string first = argc > 1 ? argv[1] : "";
  if (argc == 3 && first == "--seeds") return write_seeds(argv[2]);
  if (argc == 3 && fuzzers().contains(first)) {
    fuzzers()[first](read(argv[2]));
    return 0;
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: fuzz_corpus | fuzz_corpus FUZZER FILE | fuzz_corpus --seeds FOLDER\n");
    return 2;
  }
  std::size_t runs = 0;
  for (const auto& [name, body] : fuzzers()) {
    std::size_t count = replay(name, body, std::filesystem::path(KMS_SOURCE_DIR "/tests/fuzz/corpus") / name);
    if (count == 0) {
      std::fprintf(stderr, "%s has no corpus\n", name.c_str());
      return 1;
    }
    runs += count;
  }
  std::printf("%zu fuzzers, %zu runs\n", fuzzers().size(), runs);
}
