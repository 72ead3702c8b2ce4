// registry/: network.toml. What parses cannot be invalid; what does not is refused with a short text.
#include "registry/network_file.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::registry;

KMS_FUZZER(registry_network) {
  auto file = NetworkFile::parse(as_text(input));
  if (!file) {
    KMS_ASSERT(!file.error().message.empty() && file.error().message.size() < 1500);
    return;
  }
  KMS_ASSERT(equal(file->bytes(), input));
  const auto& members = file->members();
  KMS_ASSERT(!members.empty() && members.size() <= kMembersMax);
  KMS_ASSERT(file->threshold() >= 1 && file->threshold() <= members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    KMS_ASSERT(members[i].node_id == crypto::node_id_of(members[i].key));
    KMS_ASSERT(i == 0 || members[i - 1].node_id < members[i].node_id);
  }
  const auto& chains = file->chains();
  KMS_ASSERT(chains.size() <= kChainsMax);
  for (std::size_t i = 0; i < chains.size(); ++i) {
    KMS_ASSERT(!chains[i].gateways.empty() && (i == 0 || chains[i - 1].id < chains[i].id));
  }
  for (const Hash32& entry : file->registry().form_a_entries()) KMS_ASSERT(file->registry().is_member(entry));
}
