// What an honest requester wants: the text of one ciphertext, by a delegation in one way, from whichever node gives it.
// It asks nodes in turn, again and again, and believes only what opens its ciphertext.
#pragma once

#include <boost/json/object.hpp>

#include "crypto/ecies.h"
#include "tests/sim/program/petition.h"

namespace kms::sim {

class Service;

struct ErrandDraw {
  Way way = Way::v0;
  std::size_t key = 0;              // which of the key set
  std::vector<std::size_t> places;  // in the order in which they are asked
  Duration begins{};
};

class Errand {
 public:
  Errand(Service& service, ErrandDraw draw);
  void begin();
  bool is_done() const { return is_done_; }
  std::size_t calls() const { return calls_; }
  const ErrandDraw& draw() const { return draw_; }
  std::string story() const;

 private:
  void ask();
  void ask_more(std::size_t place);
  void again(Duration later);
  void hear(std::size_t place, const node::HttpResponse& response);
  void take(std::size_t place, const boost::json::object& result);
  std::optional<crypto::Secret<32>> open(const boost::json::object& result, bool& is_mended);
  std::optional<crypto::Secret<32>> open_b(const boost::json::object& result, bool& is_mended);
  void accept(const crypto::Secret<32>& shared);
  void disappoint(std::size_t place, const std::string& why);

  Service& service_;
  ErrandDraw draw_;
  crypto::EciesCiphertext ciphertext_;
  std::optional<crypto::Point> ephemeral_;
  std::optional<Petition> petition_;
  std::set<dkg::Position> liars_;
  std::set<dkg::Position> told_;  // to the node that is asked
  std::size_t calls_ = 0;
  std::size_t waits_for_ = 0;  // the call that counts; a later one makes earlier answers void
  std::string last_;
  bool is_done_ = false;
};

}  // namespace kms::sim
