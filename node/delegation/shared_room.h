// A bounded number of places that members share: nobody may hold more places than are left free. One holder can take
// half of them at most, two a third each, and somebody who holds none finds one however greedy the others are.
#pragma once

#include <map>

#include "dkg/ids.h"

namespace kms::delegation {

class SharedRoom {
 public:
  explicit SharedRoom(std::size_t places) : places_(places) {}

  // False: this holder has its share already; nothing changed.
  bool take(const dkg::NodeId& holder);
  // The holder has at least one.
  void give_back(const dkg::NodeId& holder);
  std::size_t held() const { return held_; }

 private:
  std::size_t places_;
  std::size_t held_ = 0;
  std::map<dkg::NodeId, std::size_t> by_holder_;  // none are zero
};

}  // namespace kms::delegation
