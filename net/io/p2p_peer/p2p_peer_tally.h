// What p2p-peer has seen so far, and which of its expectations are unmet.
#pragma once

#include <set>

#include "net/io/p2p_peer/p2p_peer_options.h"

namespace kms::net::io {

struct P2pPeerTally {
  struct Known {
    std::string agent;
    std::vector<std::string> protocols;
    bool has_record = false;
  };

  std::size_t messages = 0, pings = 0, published = 0, dialled = 0, dials_failed = 0;
  bool publishing_is_over = false;
  std::set<Bytes> payloads;
  std::set<std::string> wrong_authors;
  std::set<PeerId> peers, mesh, early_muxer, no_early_muxer;
  std::map<PeerId, Known> identified;
  std::map<std::string, std::size_t> rpc;

  // One text per unmet expectation.
  std::vector<std::string> unmet(const P2pPeerOptions& options) const;

 private:
  void check_identified(const P2pPeerOptions& options, std::vector<std::string>& unmet) const;
};

}  // namespace kms::net::io
